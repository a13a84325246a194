// Build of the console: hashed files, no inlined assets, so that `default-src 'self'` is enough.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const backend = process.env["VIGIE_URL"] ?? "http://127.0.0.1:8443";

export default defineConfig({
  plugins: [svelte()],
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: backend, changeOrigin: false } } },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
