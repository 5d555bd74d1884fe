namespace Ashlar.Planning;

/// <summary>What is to change, in how many rows, and what the database has to spare.</summary>
public sealed record MigrationNeeds
{
    /// <summary>What changes.</summary>
    public SchemaChange Change { get; init; }

    /// <summary>Rows there are.</summary>
    public required long Rows { get; init; }

    /// <summary>Bytes of a row on average.</summary>
    public long RowBytes { get; init; } = 250;

    /// <summary>Rows that the database can rewrite (or read and check, for an index or a constraint) when it does nothing else.</summary>
    public Rate RowRate { get; init; } = Rate.OfSecond(10_000);

    /// <summary>Rows that users write at peak, which take the same capacity. Null: none.</summary>
    public Rate? Load { get; init; }

    /// <summary>The share of what is left that the backfill may take.</summary>
    public decimal SpareShare { get; init; } = 0.5m;

    /// <summary>How long one batch may hold its locks.</summary>
    public TimeSpan BatchTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Rows of a batch. Null: what fits into <see cref="BatchTime"/>.</summary>
    public long? BatchRows { get; init; }

    /// <summary>How long the new way must have worked before the old is taken away.</summary>
    public TimeSpan Soak { get; init; } = TimeSpan.FromDays(7);

    internal void Validate()
    {
        Reckoning.Require(Rows > 0, "rows", "more than 0 are needed");
        Reckoning.Require(RowBytes > 0, "row-size", "it is larger than 0");
        Reckoning.Require(RowRate is { Count: > 0, PeriodSeconds: > 0 }, "row-rate", "more than 0 are needed");
        Reckoning.Require(Load is null or { Count: > 0, PeriodSeconds: > 0 }, "load", "more than 0 are needed");
        Reckoning.Require(SpareShare is > 0 and <= 1, "spare", "expected more than 0 %, and up to 100 %");
        Reckoning.Require(BatchTime > TimeSpan.Zero, "batch-time", "it is longer than 0");
        Reckoning.Require(BatchRows is null or > 0, "batch", "more than 0 are needed");
        Reckoning.Require(BatchRows is null || BatchRows <= Rows, "batch", $"larger than the {Numeral.Format(Rows)} rows there are");
        Reckoning.Require(
            BatchRows is null || Change is not (SchemaChange.AddIndex or SchemaChange.DropColumn),
            "batch",
            "this change does not go through the rows in batches");
        Reckoning.Require(Soak > TimeSpan.Zero, "soak", "it is longer than 0");
        Reckoning.Require(
            Load is not { } load || load.PerSecond < RowRate.PerSecond,
            "load",
            $"users' {Rate.Format(Load?.PerSecond ?? 0)} leave nothing of the {Rate.Format(RowRate.PerSecond)} that the database can do "
                + "(--row-rate)");
    }
}
