using System.Globalization;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Victim;

/// <summary>What a disk or an engine may be told to do wrong, to see that somebody notices.</summary>
public enum Lie
{
    None = 0,

    /// <summary>Writes of the log are dropped after a while, as if they were acknowledged before they reached the page cache.</summary>
    DropLogWrites,

    /// <summary>Flushes of the log do nothing after a while.</summary>
    SkipSyncs,
}

/// <summary>One life of the process that is going to be killed.</summary>
/// <param name="Directory">The store.</param>
/// <param name="Seed">Decides what is written, together with <paramref name="Life"/>.</param>
/// <param name="Life">Number of the life: values of different lives differ.</param>
public sealed record VictimPlan(string Directory, ulong Seed, int Life)
{
    /// <summary>The change of the disk before which the process kills itself, counted from 1; 0 is never.</summary>
    public int KillAt { get; init; }

    /// <summary>Milliseconds after which it closes the store in good order; 0 is never.</summary>
    public int CloseAfter { get; init; }

    public Lie Lie { get; init; }

    public StoreKind Kind { get; init; }

    /// <summary>Where it makes backups, if its kind does.</summary>
    public string BackupDirectory => Directory + ".backups";

    public IReadOnlyList<string> ToArguments() =>
        [Directory, $"{Seed}", $"{Life}", $"{KillAt}", $"{CloseAfter}", $"{Lie}", $"{Kind}"];

    public static VictimPlan Parse(IReadOnlyList<string> arguments) =>
        new(arguments[0], ulong.Parse(arguments[1], CultureInfo.InvariantCulture), Number(arguments[2]))
        {
            KillAt = Number(arguments[3]),
            CloseAfter = Number(arguments[4]),
            Lie = Enum.Parse<Lie>(arguments[5]),
            Kind = Enum.Parse<StoreKind>(arguments[6]),
        };

    public FaultRule[] Rules() => Lie switch
    {
        Lie.DropLogWrites =>
            [new(FaultOperations.Write, FaultKind.Skip) { PathPattern = "*log-*", Nth = 60, IsSticky = true }],
        Lie.SkipSyncs => [new(FaultOperations.Sync, FaultKind.Skip) { PathPattern = "*log-*", Nth = 10, IsSticky = true }],
        _ => [],
    };

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
