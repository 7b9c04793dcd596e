// How the pages become files that the server embeds: one script, one style sheet, no outside
// address.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

// The framework's error messages end in an address of its documentation. The product names no
// outside address, so that only the message's own name stays.
function withoutDocumentationLinks(): Plugin {
  return {
    name: 'without-documentation-links',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk')
          file.code = file.code.replaceAll('https://svelte.dev/e/', 'svelte: ');
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), withoutDocumentationLinks()],
  build: {
    target: 'es2022',
    // A data: image would be allowed, a data: script would not; keeping all as files makes one rule
    // of it.
    assetsInlineLimit: 0,
    // One script and one style sheet: a page that is open during an upgrade never asks for a part
    // that is gone.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  server: {
    proxy: {
      '/api': { target: process.env['GREENROOM_URL'] ?? 'http://127.0.0.1:8080', ws: true },
    },
  },
});
