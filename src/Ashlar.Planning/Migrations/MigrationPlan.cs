namespace Ashlar.Planning;

/// <summary>A change of a schema without an outage.</summary>
public sealed record MigrationPlan
{
    /// <summary>One after the other; none begins before the one before is done.</summary>
    public required IReadOnlyList<MigrationStep> Steps { get; init; }

    /// <summary>How the rows are gone through; null where there is nothing to go through.</summary>
    public required Backfill? Backfill { get; init; }

    /// <summary>From the first step to the last, deployments not counted.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>What to know before it starts.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }
}

/// <summary>One step.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Phase">expand, backfill or contract.</param>
/// <param name="Title">In a few words.</param>
/// <param name="Do">What is done.</param>
/// <param name="DoneWhen">How one knows that it is done.</param>
/// <param name="Rollback">How to go back from here.</param>
/// <param name="Seconds">How long it takes; null for moments and deployments.</param>
public sealed record MigrationStep(int Number, string Phase, string Title, string Do, string DoneWhen, string Rollback, double? Seconds);

/// <summary>How the rows are gone through.</summary>
/// <param name="BatchRows">Rows of a batch; null, as what follows, where the database goes through the rows by itself.</param>
/// <param name="Batches">How many batches.</param>
/// <param name="BatchSeconds">How long one holds its locks.</param>
/// <param name="PauseSeconds">How long to wait after each.</param>
/// <param name="RowsPerSecond">Rows a second, pauses counted.</param>
/// <param name="Seconds">How long it takes.</param>
/// <param name="ExtraBytes">
/// Space that old versions of rows, or a second copy, take until it is given back; null if it is not known.
/// </param>
public sealed record Backfill(
    long? BatchRows, long? Batches, double? BatchSeconds, double? PauseSeconds, decimal RowsPerSecond, double Seconds, long? ExtraBytes);
