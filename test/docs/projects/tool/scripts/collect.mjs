console.log(JSON.stringify([{ title: "Totals count quantities" }, { title: "Carts may be empty" }]));
