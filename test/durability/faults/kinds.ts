// Every kind of conversation, by its name.
import { RUN_CONVERSATIONS } from "./conversations.ts";
import { FILE_CONVERSATIONS } from "./file-conversations.ts";

export const CONVERSATIONS = { ...RUN_CONVERSATIONS, ...FILE_CONVERSATIONS };

export type Kind = keyof typeof CONVERSATIONS;

export const RUN_KINDS = Object.keys(RUN_CONVERSATIONS) as Kind[];
export const FILE_KINDS = Object.keys(FILE_CONVERSATIONS) as Kind[];
