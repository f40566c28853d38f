import { defineConfig } from "vite";

// Three files with stable names: the binary embeds them by name, and the committed bundle can be compared byte by byte.
export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rollupOptions: {
      output: {
        entryFileNames: "assets/app.js",
        assetFileNames: "assets/app[extname]",
        inlineDynamicImports: true,
      },
    },
  },
});
