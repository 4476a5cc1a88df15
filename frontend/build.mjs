/*
 * Copies the third-party assets the screens use from node_modules into app/static/vendor.
 *
 * Nothing is bundled: the packages ship minified files already, so a copy keeps the build at one
 * second and the files comparable with their release. Source-map comments are cut, because the maps
 * are not shipped and a browser with open tools would ask for them.
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const vendor = join(here, "..", "app", "static", "vendor");

/** [file in node_modules, file in app/static/vendor] */
const TEXT_FILES = [
  ["@tabler/core/dist/css/tabler.min.css", "tabler/tabler.min.css"],
  ["@tabler/core/dist/css/tabler-vendors.min.css", "tabler/tabler-vendors.min.css"],
  ["@tabler/core/dist/js/tabler.min.js", "tabler/tabler.min.js"],
  ["echarts/dist/echarts.min.js", "echarts/echarts.min.js"],
  ["echarts/LICENSE", "echarts/LICENSE"],
  ["echarts/NOTICE", "echarts/NOTICE"],
  ["tom-select/dist/js/tom-select.popular.min.js", "tom-select/tom-select.min.js"],
  ["tom-select/dist/css/tom-select.bootstrap5.min.css", "tom-select/tom-select.min.css"],
  ["tom-select/LICENSE", "tom-select/LICENSE"],
  ["@tabler/icons-webfont/LICENSE", "tabler-icons/LICENSE"],
];
const ICON_CSS = "@tabler/icons-webfont/dist/tabler-icons.min.css";
const ICON_FONT = "@tabler/icons-webfont/dist/fonts/tabler-icons.woff2";

const withoutSourceMap = (text) =>
  text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n").replace(/\n?\/\*# sourceMappingURL=\S+ \*\/\s*$/, "\n");

async function copyText(from, to) {
  const target = join(vendor, to);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, withoutSourceMap(await readFile(join(modules, from), "utf8")));
}

/** Every browser we support reads woff2: the css must not name the formats that are not copied. */
async function copyIcons() {
  const css = await readFile(join(modules, ICON_CSS), "utf8");
  const onlyWoff2 = css.replace(/src:(url\([^)]*\.woff2[^)]*\) format\("woff2"\))[^}]*\}/, "src:$1;font-display:block}");
  if (onlyWoff2 === css || /\.ttf|\.woff\?/.test(onlyWoff2)) {
    throw new Error("the icon font's @font-face has changed its form: look at copyIcons() in build.mjs");
  }
  const fonts = join(vendor, "tabler-icons", "fonts");
  await mkdir(fonts, { recursive: true });
  await writeFile(join(vendor, "tabler-icons", "tabler-icons.min.css"), onlyWoff2);
  await cp(join(modules, ICON_FONT), join(fonts, "tabler-icons.woff2"));
}

/** @tabler/core ships its licence only as a comment and a name, so the list says it for all. */
async function writeLicenceList() {
  const lines = [];
  for (const name of ["@tabler/core", "@tabler/icons-webfont", "echarts", "tom-select"]) {
    const { version, license } = JSON.parse(await readFile(join(modules, name, "package.json"), "utf8"));
    lines.push(`${name} ${version}: ${license}`);
  }
  await writeFile(join(vendor, "LICENCES.txt"), `${lines.join("\n")}\n`);
}

await rm(vendor, { recursive: true, force: true });
for (const [from, to] of TEXT_FILES) await copyText(from, to);
await copyIcons();
await writeLicenceList();
console.log(`Front-end assets copied to ${vendor}`);
