namespace Ashlar.Planning;

/// <summary>Plans a change of a schema: expand, backfill, contract.</summary>
public static class MigrationPlanner
{
    const double LongestSeconds = 1000.0 * Rate.YearSeconds;

    /// <summary>Plans.</summary>
    /// <param name="needs">What changes.</param>
    /// <param name="units">The one system of units that the remarks are written in.</param>
    /// <exception cref="PlanException">A number is out of range, or the load leaves nothing for the change.</exception>
    public static MigrationPlan Plan(MigrationNeeds needs, UnitSystem units)
    {
        needs.Validate();
        return Reckoning.Guard("rows", () => PlanAll(needs, units));
    }

    static MigrationPlan PlanAll(MigrationNeeds needs, UnitSystem units)
    {
        var backfill = needs.Change == SchemaChange.DropColumn ? null : PlanBackfill(needs);
        var steps = MigrationSteps.Of(needs, backfill);
        return new()
        {
            Steps = steps,
            Backfill = backfill,
            TotalSeconds = steps.Sum(step => step.Seconds ?? 0),
            Remarks = Remarks(needs, backfill, units),
        };
    }

    static Backfill PlanBackfill(MigrationNeeds needs)
    {
        var rate = needs.RowRate.PerSecond;
        var spare = decimal.Round((rate - (needs.Load?.PerSecond ?? 0)) * needs.SpareShare, 9);
        Reckoning.Require(
            spare > 0 && (double)needs.Rows / (double)spare <= LongestSeconds,
            "rows",
            "at what --row-rate, --load and --spare leave, this takes more than 1,000 years");
        var seconds = (double)(needs.Rows / spare);
        if (needs.Change == SchemaChange.AddIndex) return new(null, null, null, null, spare, seconds, null);
        // As a number of floating point first, which is never too large.
        var fitting = (double)rate * needs.BatchTime.TotalSeconds < needs.Rows
            ? decimal.Truncate(rate * (decimal)needs.BatchTime.TotalSeconds)
            : needs.Rows;
        var batch = needs.BatchRows ?? (long)Math.Clamp(fitting, 1, needs.Rows);
        var batchSeconds = (double)(batch / rate);
        return new(
            batch,
            Reckoning.CeilingDivide("batch", needs.Rows, batch),
            batchSeconds,
            Math.Max(0, (double)(batch / spare) - batchSeconds),
            spare,
            seconds,
            needs.Change == SchemaChange.AddConstraint ? null : Reckoning.Bytes("row-size", needs.Rows, needs.RowBytes));
    }

    static List<string> Remarks(MigrationNeeds needs, Backfill? backfill, UnitSystem units)
    {
        var remarks = new List<string>();
        if (backfill is { ExtraBytes: > 0 })
        {
            remarks.Add(
                $"Have {ByteAmount.Format(backfill.ExtraBytes.Value, units)} free before the backfill, and as much for the log: "
                + (needs.Change == SchemaChange.MoveTable
                    ? "the rows are there twice until the end."
                    : "each rewritten row leaves its old version until it is vacuumed."));
        }

        if (backfill is { BatchSeconds: > 1 })
            remarks.Add(
                $"A batch holds its locks for {Period.Format(backfill.BatchSeconds.Value)}: users wait as long. Smaller batches "
                    + "(--batch) cost little.");
        if (needs.Change == SchemaChange.AddIndex) remarks.Add("Have the size of the index free, and as much again to sort in.");
        if (needs.Change == SchemaChange.AddConstraint)
            remarks.Add("The backfill is calculated for all rows; only those that violate the constraint are rewritten.");
        if (backfill is { BatchRows: not null })
            remarks.Add(
                "Go through the rows by primary key, remember the last key of each batch, and pause while replicas lag: it can then stop "
                    + "and go on at any time.");
        remarks.Add(
            "Every statement that changes the schema gets a lock timeout of a few seconds and is tried again: waiting for a lock, it "
                + "holds up everybody behind it.");
        remarks.Add(
            "Old and new code run side by side during every deployment: each step works with the code of the step before and of the step "
                + "after.");
        return remarks;
    }
}
