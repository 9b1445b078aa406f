import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const server = process.env["SW2_SERVER"] ?? "http://127.0.0.1:4232";

export default defineConfig({
  base: "./",
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/sw2/ide/static",
    emptyOutDir: true,
    // The page is served from the same machine: one file is quicker than many, and 500 kB is no news.
    chunkSizeWarningLimit: 1200,
  },
  server: { host: "127.0.0.1", proxy: { "/api": server } },
  test: { environment: "jsdom", setupFiles: ["src/test/setup.ts"], css: false, testTimeout: 60000 },
});
