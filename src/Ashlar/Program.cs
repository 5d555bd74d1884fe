using Ashlar.CommandLine;

return (int)await AshlarProgram.RunAsync(args, Terminal.OfProcess(), CancellationToken.None);
