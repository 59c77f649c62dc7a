import { prepare, start, discard } from "./stack.mjs"; import { openBrowser, newVisit, closeBrowser } from "./visit.mjs";
const p=await prepare(); const s=await start(p); console.log(s.output); await openBrowser(); const v=await newVisit();
v.page.on("console",m=>console.log("C",m.text()));
await v.page.goto(s.url); await v.page.getByRole("button",{name:"Connect",exact:true}).click(); const f=v.page.frameLocator("iframe"); const b=f.getByRole("button",{name:"Close",exact:true}); console.time("h"); await b.hover(); console.timeLog("h"); await v.page.mouse.down(); console.timeLog("h"); await v.page.mouse.up(); console.timeLog("h"); await v.page.waitForTimeout(500); console.log(await v.story());
await v.end(); await closeBrowser(); await s.stop(); await discard(p);
