if (!process.env.TOKEN) throw new Error("no TOKEN");
console.log(`deployed with ${process.env.TOKEN}`);
