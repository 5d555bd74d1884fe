using System.Globalization;

namespace Ashlar.KeyValue;

/// <summary>What opening a store found: <see cref="KeyValueStore.Recovery"/>.</summary>
public sealed record RecoveryReport
{
    /// <summary>Whether it was closed in order, or just created: nothing had to be recovered.</summary>
    public required bool WasClosed { get; init; }

    /// <summary>Log segments that were read.</summary>
    public int Segments { get; init; }

    /// <summary>Groups of writes that were read from them. After an orderly close, too, some may have to be read.</summary>
    public long Groups { get; init; }

    /// <summary>Bytes of these groups.</summary>
    public long Bytes { get; init; }

    /// <summary>The segment in which the log ends; null if no segment had to be read.</summary>
    public string? EndPath { get; init; }

    /// <summary>Where in that segment it ends.</summary>
    public long EndOffset { get; init; }

    /// <summary>
    /// Bytes behind the end, zeros that follow left out, that were dropped: of writes that were under way when the store stopped, none of
    /// them acknowledged as durable.
    /// </summary>
    public long TornBytes { get; init; }

    /// <summary>One line that says it all, for a log.</summary>
    public override string ToString() => EndPath is null
        ? WasClosed ? "closed in order, no log to read" : "not closed in order, no log to read"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{(WasClosed ? "closed in order" : "not closed in order")}: read {Groups} groups, {Bytes} bytes, of {Segments} log segments; "
            + $"the log ends at byte {EndOffset} of {EndPath}; {TornBytes} torn bytes dropped");
}
