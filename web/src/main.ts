/** Where the page begins. */

import { mount } from "svelte";
import "./styles/tokens.css";
import "./styles/themes/paper.css";
import "./styles/themes/midnight.css";
import "./styles/themes/compact.css";
import "./styles/base.css";
import "./styles/markdown.css";
import App from "./app/App.svelte";
import { Home } from "./app/home.svelte";
import { keepShell } from "./shell/keep";
import { languageChoice } from "./state/language.svelte";

await languageChoice.start();
const home = new Home();
mount(App, { target: document.body, props: { home } });
void home.start();
if (import.meta.env.PROD) keepShell();
