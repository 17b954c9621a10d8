/** Where the page begins. */

import { mount } from "svelte";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/markdown.css";
import App from "./app/App.svelte";
import { Home } from "./app/home.svelte";

const home = new Home();
mount(App, { target: document.body, props: { home } });
void home.start();
