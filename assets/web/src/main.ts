// The way in: styles, theme, router, session, then the page.
import { mount } from 'svelte';
import App from './App.svelte';
import { listen } from './router.svelte.ts';
import { load, watch } from './session.svelte.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/print.css';
import { apply } from './theme.svelte.ts';

apply();
listen();
watch();
void load();

const target = document.getElementById('app');
if (target) mount(App, { target });
