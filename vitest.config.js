// @ts-check
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["tests/panel/frontend/**/*.test.js"], environment: "happy-dom" },
});
