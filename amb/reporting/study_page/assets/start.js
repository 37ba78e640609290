document.documentElement.classList.add("js");
startTables();
startFigures();
startVariants();
startSeeds();
startUtterances();
startNavigation();
