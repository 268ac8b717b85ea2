// Every kind of conversation, by its name.
import { CODE_CONVERSATIONS } from "./code-conversations.ts";
import { RUN_CONVERSATIONS } from "./conversations.ts";
import { FILE_CONVERSATIONS } from "./file-conversations.ts";

export const CONVERSATIONS = { ...RUN_CONVERSATIONS, ...FILE_CONVERSATIONS, ...CODE_CONVERSATIONS };

export type Kind = keyof typeof CONVERSATIONS;

export const RUN_KINDS = Object.keys(RUN_CONVERSATIONS) as Kind[];
export const FILE_KINDS = Object.keys(FILE_CONVERSATIONS) as Kind[];
export const CODE_KINDS = Object.keys(CODE_CONVERSATIONS) as Kind[];
