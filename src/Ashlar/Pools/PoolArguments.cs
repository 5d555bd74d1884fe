using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>What several pool commands take.</summary>
static class PoolArguments
{
    /// <summary>The name of a pool that is not there yet, and so is not completed.</summary>
    public static Argument<string> NewName() => new("NAME") { Description = "Name: 1 to 64 of a-z, 0-9, '_' and '-'" };

    /// <summary>Devices, an option each.</summary>
    public static Option<string[]> Devices(string description, string name = "--device") => new(name)
    {
        Description = description,
        HelpName = "DEVICE",
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
    };

    public static Option<long> Size(Terminal terminal) => Setting.Create(
        terminal, "--size", "SIZE", "What each file that is created is to hold: 20GiB, 1TB, or bytes", ByteSize.Parse, 0L);

    public static Option<bool> ForceContent() => new("--force") { Description = "Take devices also if they hold something, which is lost" };

    /// <summary>The size, where it was given.</summary>
    public static long? SizeOf(Invocation invocation, Option<long> size) => invocation.IsGiven(size) ? invocation.Get(size) : null;
}
