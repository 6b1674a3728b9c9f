import { content } from "./broken/content.ts";
import { holdBroken } from "./broken/hold-broken.ts";

holdBroken("content", content);
