import all from "./rollup.config.js";

const d = { ...all[3] };
d.output = [
  {
    ...d.output[1],
    dir: "/tmp/scratchout",
    plugins: [
      ...d.output[1].plugins,
      {
        name: "x",
        generateBundle(_, b) {
          const terser = null;
          for (const c of Object.values(b))
            if (c.type === "chunk" && ["core", "tls", "tls12", "resumption"].includes(c.name)) {
              console.log(c.name, c.code.length);
              for (const [id, m] of Object.entries(c.modules).sort(
                (a, b) => b[1].renderedLength - a[1].renderedLength,
              )) {
                const code = (m.code ?? "")
                  .replace(/\/\*[\s\S]*?\*\//g, "")
                  .replace(/\/\/.*$/gm, "")
                  .replace(/\s+/g, " ");
                console.log("  ", code.length, id.replace(/.*build\//, ""));
              }
            }
        },
      },
    ],
  },
];
export default [d];
