using Ashlar.KeyValue.Bench;

if (args is ["rival", .. var command]) return RivalCommand.Run(command);
if (args is ["sync-latency", var directory]) return SyncLatencyCommand.Run(directory);
if (!BenchOptions.TryParse(args, out var options, out var problem))
{
    Console.Error.WriteLine(problem);
    Console.Error.WriteLine(BenchOptions.Usage);
    return 2;
}

return new BenchRun(options).Run();
