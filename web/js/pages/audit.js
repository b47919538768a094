import { html } from "../../vendor/lit-html.js"; export const title=()=>"x"; export const load=async()=>({}); export const render=()=>html`<h1 tabindex="-1">x</h1>`;
