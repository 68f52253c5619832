/** Prometheus' text format 0.0.4, read by its grammar and nothing beside it. */

export interface Family {
  help: string;
  type: string;
  samples: { labels: Record<string, string>; value: number }[];
}

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const helpLine = new RegExp(`^# HELP (${name}) ((?:[^\\\\]|\\\\[\\\\n])*)$`);
const typeLine = new RegExp(`^# TYPE (${name}) (counter|gauge)$`);
const sampleLine = new RegExp(`^(${name})(?:\\{(.+)\\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$`);
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

/** @throws Error for a line that is none, a name that is none, or a series that stands twice */
export function readMetrics(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const lines = text.slice(0, -1).split("\n");
  const families = new Map<string, Family>();
  const series = new Set<string>();
  while (lines.length > 0) {
    const [, family, help] = matched(helpLine, lines.shift()!);
    const [, typed, type] = matched(typeLine, lines.shift()!);
    if (typed !== family || families.has(family)) throw new Error(`${family}: twice, or of another's type`);
    const samples: Family["samples"] = [];
    while (lines.length > 0 && !lines[0].startsWith("#")) {
      const [line] = lines;
      const [, sampled, labels = "", value] = matched(sampleLine, lines.shift()!);
      const key = line.slice(0, line.lastIndexOf(" "));
      if (sampled !== family || series.has(key)) throw new Error(`${key}: twice, or among another's`);
      series.add(key);
      samples.push({ labels: readLabels(labels), value: Number(value) });
    }
    families.set(family, { help: unescaped(help), type, samples });
  }
  return families;
}

function matched(form: RegExp, line: string): RegExpExecArray {
  const match = form.exec(line);
  if (match === null) throw new Error(`not of the grammar: ${line}`);
  return match;
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  for (let at = 0; at < text.length; at = label.lastIndex) {
    const match = label.exec(text);
    if (match === null || Object.hasOwn(labels, match[1])) throw new Error(`no labels: ${text}`);
    labels[match[1]] = unescaped(match[2]);
  }
  return labels;
}

const unescaped = (text: string) => text.replace(/\\(.)/g, (_, char) => (char === "n" ? "\n" : char));
