// Makes src/methods.ts from a service's description of itself:
//
//     node generate.mjs http://127.0.0.1:8080/openrpc.json
//
// The description is checked by OpenRPC's own schema first.
import { mkdir, writeFile } from "node:fs/promises";
import { validateOpenRPCDocument } from "@open-rpc/schema-utils-js";
import { compile } from "json-schema-to-typescript";

const [url = "http://127.0.0.1:8080/openrpc.json", folder = "src"] = process.argv.slice(2);
const described = await (await fetch(url)).json();
const fault = validateOpenRPCDocument(described);
if (fault !== true) throw fault;

// One interface of all methods: what each takes, by name, and what it gives.
const closed = { type: "object", additionalProperties: false };
const methods = described.methods.map(({ name, summary, params, result }) => [
  name,
  {
    ...closed,
    description: summary,
    required: ["params", "result"],
    properties: {
      params: {
        ...closed,
        required: params.filter((one) => one.required).map((one) => one.name),
        properties: Object.fromEntries(
          params.map((one) => [one.name, { ...one.schema, description: one.description }]),
        ),
      },
      result: result.schema,
    },
  },
]);
const schema = {
  ...closed,
  required: methods.map(([name]) => name),
  properties: Object.fromEntries(methods),
  components: described.components,
};
await mkdir(folder, { recursive: true });
const bannerComment = `// Made by generate.mjs from ${described.info.title} ${described.info.version}.`;
const options = { bannerComment, additionalProperties: false, format: false };
await writeFile(`${folder}/methods.ts`, await compile(withoutTitles(schema), "Methods", options));

// Titles would each become a type of its own.
function withoutTitles(part) {
  if (Array.isArray(part)) return part.map(withoutTitles);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part)
      .filter(([key, value]) => !(key === "title" && typeof value === "string"))
      .map(([key, value]) => [key, withoutTitles(value)]),
  );
}
