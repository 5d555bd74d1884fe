using System.Globalization;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Victim;

/// <summary>What a disk or an engine may be told to do wrong, to see that somebody notices.</summary>
public enum Lie
{
    None = 0,

    /// <summary>Writes of the log are acknowledged before they reach the page cache.</summary>
    AcknowledgeEarly,

    /// <summary>Flushes of a file of the log do nothing after the first.</summary>
    SkipSyncs,
}

/// <summary>One life of the process that is going to be killed.</summary>
/// <param name="Directory">The store.</param>
/// <param name="Seed">Decides what is written, together with <paramref name="Life"/>.</param>
/// <param name="Life">Number of the life: values of different lives differ.</param>
public sealed record VictimPlan(string Directory, ulong Seed, int Life)
{
    /// <summary>The operation of the disk before which the process ends, of those below, counted from 1; 0 is never.</summary>
    public int EndAt { get; init; }

    /// <summary>Operations that are counted for <see cref="EndAt"/>.</summary>
    public FaultOperations EndBefore { get; init; } = FaultOperations.Changes;

    /// <summary>Whether only those on backups are.</summary>
    public bool EndsInBackup { get; init; }

    /// <summary>Whether the process stands still there, instead of killing itself: its disk is going to lose power.</summary>
    public bool Pauses { get; init; }

    /// <summary>Milliseconds after which it closes the store in good order; 0 is never.</summary>
    public int CloseAfter { get; init; }

    public Lie Lie { get; init; }

    public StoreKind Kind { get; init; }

    /// <summary>Whether it reaches the disk by the portable door.</summary>
    public bool IsPortable { get; init; }

    /// <summary>Where it makes backups, if its kind does.</summary>
    public string BackupDirectory => Directory + ".backups";

    public IReadOnlyList<string> ToArguments() =>
        [Directory, $"{Seed}", $"{Life}", $"{EndAt}", $"{(int)EndBefore}", $"{EndsInBackup}",
            $"{Pauses}", $"{CloseAfter}", $"{Lie}", $"{Kind}", $"{IsPortable}"];

    public static VictimPlan Parse(IReadOnlyList<string> arguments) =>
        new(arguments[0], ulong.Parse(arguments[1], CultureInfo.InvariantCulture), Number(arguments[2]))
        {
            EndAt = Number(arguments[3]),
            EndBefore = (FaultOperations)Number(arguments[4]),
            EndsInBackup = bool.Parse(arguments[5]),
            Pauses = bool.Parse(arguments[6]),
            CloseAfter = Number(arguments[7]),
            Lie = Enum.Parse<Lie>(arguments[8]),
            Kind = Enum.Parse<StoreKind>(arguments[9]),
            IsPortable = bool.Parse(arguments[10]),
        };

    /// <summary>The disk, as it is or as it lies.</summary>
    public IFileSystem Disk(Action<FaultOperations, string> beforeOperation)
    {
        var disk = new FaultyFileSystem(IsPortable ? FileSystems.Portable : FileSystems.Real) { BeforeOperation = beforeOperation };
        return Lie switch
        {
            Lie.AcknowledgeEarly => new LateWrites(disk),
            Lie.SkipSyncs => new SkippedFlushes(disk),
            _ => disk,
        };
    }

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
