// API and worker in one process, for the comparison. It is ready when both are.
const send = process.send?.bind(process);
let url: string | undefined;
let ready = 0;
process.send = (message: { url?: string }) => {
  url ??= message.url;
  ready += 1;
  return ready === 2 ? (send?.({ type: "ready", url }) ?? false) : true;
};
void import("../../worker/main.ts");
await import("../../api/main.ts");
