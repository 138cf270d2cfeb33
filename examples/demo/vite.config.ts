import { defineConfig } from 'vite'

/** Where `npm run dev` finds the demo's server: start it beside, in another terminal. */
const SERVER = process.env.DEMO_SERVER ?? 'https://localhost:8443'

export default defineConfig({
  root: 'page',
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../dist/page', emptyOutDir: true, target: 'es2023', reportCompressedSize: false },
  server: {
    proxy: Object.fromEntries(
      ['/fusewire', '/demo', '/v1'].map((path) => [path, { target: SERVER, secure: false, ws: true, changeOrigin: true }]),
    ),
  },
})
