using System.Globalization;
using Ashlar.Planning;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar plan migrate</c>.</summary>
static class PlanMigrateCommand
{
    public static Verb Create(Terminal terminal)
    {
        var options = new PlanOptions(terminal);
        var change = options.Choice<SchemaChange>(
            "--change",
            "KIND",
            "add-column, change-type, rename, move-table, add-index, add-constraint, drop-column",
            "a change");
        change.Required = true;
        var rows = options.Count("--rows", "Rows there are");
        rows.Required = true;
        var rowSize = options.Size("--row-size", "Bytes of a row on average [default: 250B]");
        var rowRate = options.Rate("--row-rate", "Rows that the database rewrites when it does nothing else [default: 10k/s]");
        var load = options.Rate("--load", "Rows that users write at peak [default: none]");
        var spare = options.Percent("--spare", "What the change may take of the rest [default: 50%]", mayBeZero: false);
        var batchTime = options.Time("--batch-time", "How long a batch may hold its locks [default: 200ms]");
        var batch = options.Count("--batch", "Rows of a batch [default: what fits into --batch-time]");
        var soak = options.Time("--soak", "How long the new must have worked before the old goes [default: 7d]");
        return options.Verb(
            "migrate",
            "Plan a change of a schema in use: expand, backfill, contract, and the way back from each step",
            [
                "ashlar plan migrate --change add-column --rows 500M",
                "ashlar plan migrate --change change-type --rows 2bn --row-size 400B --row-rate 30k/s --load 8k/s",
                "ashlar plan migrate --change add-index --rows 100M --soak 2d -o json",
            ],
            invocation =>
            {
                if (invocation.IsGiven(batch) && invocation.IsGiven(batchTime))
                    throw Usage.Error("--batch: --batch-time says it already", "give one of them");
                var units = options.Units(invocation);
                var needs = new MigrationNeeds { Rows = invocation.Get(rows)!.Value };
                needs = needs with
                {
                    Change = invocation.Get(change)!.Value,
                    RowBytes = invocation.Get(rowSize)?.Bytes ?? needs.RowBytes,
                    RowRate = invocation.Get(rowRate) ?? needs.RowRate,
                    Load = invocation.Get(load),
                    SpareShare = invocation.Get(spare) ?? needs.SpareShare,
                    BatchTime = invocation.Get(batchTime) ?? needs.BatchTime,
                    BatchRows = invocation.Get(batch),
                    Soak = invocation.Get(soak) ?? needs.Soak,
                };
                var plan = MigrationPlanner.Plan(needs, units);
                return PlanAnswer.Write(
                    invocation,
                    "MigrationPlan",
                    units,
                    plan,
                    PlanJson.Strict.MigrationPlan,
                    (_, _) => WriteScreen(invocation.Terminal, plan, units),
                    plan.Steps.Select(step => step.Title));
            });
    }

    static void WriteScreen(Terminal terminal, MigrationPlan plan, UnitSystem units)
    {
        var (writer, style) = (terminal.Out, terminal.OutStyle);
        foreach (var step in plan.Steps)
        {
            var takes = step.Seconds is { } seconds ? $", {Period.Format(seconds)}" : "";
            writer.WriteLine(style.Bold($"{step.Number}. {step.Title}") + $" ({step.Phase}{takes})");
            PlanAnswer.WriteFact(writer, style, "Do", step.Do);
            PlanAnswer.WriteFact(writer, style, "Done when", step.DoneWhen);
            PlanAnswer.WriteFact(writer, style, "Way back", step.Rollback);
            writer.WriteLine();
        }

        var facts = new FactSheet();
        if (plan.Backfill is { } backfill)
        {
            if (backfill is { BatchRows: { } batch, Batches: { } batches, BatchSeconds: { } lasts, PauseSeconds: { } pause })
                facts.Add(
                    "Batches", Text($"{batches:N0} of {batch:N0} rows: {Period.Format(lasts)} each, then {Period.Format(pause)} of pause"));
            facts.Add("Backfill", Text($"{Period.Format(backfill.Seconds)} at {Rate.Format(backfill.RowsPerSecond)}"));
            if (backfill.ExtraBytes is { } extra) facts.Add("Extra space", ByteAmount.Format(extra, units));
        }

        facts.Add("In all", $"{Period.Format(plan.TotalSeconds)}, deployments not counted").WriteTo(writer, style, terminal.Width);
        writer.WriteLine();
        foreach (var remark in plan.Remarks) PlanAnswer.WriteText(writer, remark, "- ", "  ");
        PlanAnswer.WriteUnits(writer, style, units);
    }

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
