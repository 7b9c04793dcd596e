// Lets TypeScript know what the bundler understands: style sheets as imports.
/// <reference types="vite/client" />
