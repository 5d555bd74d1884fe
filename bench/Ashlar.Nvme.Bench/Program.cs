using Ashlar.Nvme.Bench;

var options = BenchOptions.TryRead(args);
switch (options?.Verb)
{
    case "load":
        return LoadRun.Run(options);
    case "bare":
        return BareServer.Run(options);
    default:
        Console.Error.WriteLine(BenchOptions.Usage);
        return 2;
}
