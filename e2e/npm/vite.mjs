// Serves the pages of an example by Vite, with the packages of this directory: node vite.mjs ROOT PORT CACHE.
import { createServer } from "vite";

const [root, port, cacheDir] = process.argv.slice(2);
const here = import.meta.dirname;
const server = await createServer({
  root,
  configFile: `${root}/vite.config.js`,
  configLoader: "native",
  cacheDir,
  logLevel: "warn",
  server: { port: Number(port), fs: { allow: [root, here, cacheDir] } },
  resolve: {
    alias: [
      { find: /^@clerk\/clerk-js$/, replacement: `${here}/node_modules/@clerk/clerk-js/dist/clerk.mjs` },
      { find: /^(@base-org\/account|@coinbase\/wallet-sdk|@zxcvbn-ts\/.*)$/, replacement: `${here}/none/package.json` },
    ],
  },
});
await server.listen();
console.log("ready");
