// Read by the compiler and by svelte-check: runes everywhere, so that what is reactive is visible.
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

export default {
  preprocess: vitePreprocess({ style: false }),
  compilerOptions: { runes: true },
};
