import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

// `npm run dev` shows the pages of this folder with what a running `renderkiln serve` answers.
const service = process.env.RENDERKILN_SERVER ?? 'http://127.0.0.1:8700';

export default defineConfig({
  plugins: [tailwindcss(), svelte()],
  build: {
    outDir: '../src/renderkiln/api/site',
    emptyOutDir: true,
    target: ['chrome111', 'edge111', 'firefox128', 'safari16.4'], // what Tailwind's colours need, too
    assetsInlineLimit: 0, // the page's own rules allow no data: fonts or scripts
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '^/(api|files|login|logout|openapi)': { target: service, changeOrigin: false } } },
  test: { include: ['src/**/*.test.ts'] },
});
