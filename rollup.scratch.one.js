import all from "./rollup.config.js";
export default all.filter((each) =>
  /device\/(socket-)?program|test\/device\/program/.test(JSON.stringify(each.input)),
);
