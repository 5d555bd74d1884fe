namespace Ashlar.Planning;

/// <summary>The steps of each kind of change.</summary>
static class MigrationSteps
{
    public static IReadOnlyList<MigrationStep> Of(MigrationNeeds needs, Backfill? backfill)
    {
        var drafts = needs.Change switch
        {
            SchemaChange.AddIndex => Index(),
            SchemaChange.AddConstraint => Constraint(),
            SchemaChange.DropColumn => Drop(),
            SchemaChange.MoveTable => Copy("table", "the new table, empty, with its keys and indexes", "drop the old columns"),
            SchemaChange.Rename => Copy("column", "a nullable column with the new name", "drop the column with the old name"),
            SchemaChange.ChangeType =>
                Copy("column", "a nullable column of the new type", "drop the column of the old type; rename if the name must stay"),
            _ => Add(),
        };
        return [.. drafts.Select((draft, i) => new MigrationStep(
            i + 1, draft.Phase, draft.Title, draft.Do, draft.DoneWhen, draft.Rollback, Seconds(draft.Takes, needs, backfill)))];
    }

    static double? Seconds(Takes takes, MigrationNeeds needs, Backfill? backfill) => takes switch
    {
        Takes.Backfill => backfill?.Seconds,
        // It reads every row while users work, so it is held back as the backfill is.
        Takes.Check => (double)(needs.Rows / (backfill?.RowsPerSecond ?? needs.RowRate.PerSecond)),
        Takes.Soak => needs.Soak.TotalSeconds,
        _ => null,
    };

    static Draft[] Add() =>
    [
        new(
            "expand",
            "Add the column",
            "Add it nullable, without a default that has to be computed: only the catalogue changes.",
            "It is in the catalogue of every replica.",
            "Drop the column: nobody reads it.",
            Takes.Moment),
        new(
            "expand",
            "Write it",
            "Deploy code that sets it in every insert and update.",
            "No new row lacks it for an hour.",
            "Deploy the code before; drop the column.",
            Takes.Moment),
        new(
            "backfill",
            "Fill old rows",
            "In batches, only where it is null, so that a newer value is never replaced.",
            "No row lacks it.",
            "Stop. What is filled does no harm; go on later or drop the column.",
            Takes.Backfill),
        new(
            "backfill",
            "Check",
            "Compare it with what it comes from; then add NOT NULL as a constraint that is not yet valid, and validate it.",
            "No difference; the constraint is valid.",
            "Drop the constraint; correct and fill again.",
            Takes.Check),
        new(
            "contract",
            "Read it",
            "Deploy code that reads it, behind a switch.",
            "No error and no difference for the soak time.",
            "Turn the switch back.",
            Takes.Soak),
        new(
            "contract",
            "Tidy up",
            "Remove the switch and the code that did without the column.",
            "It is deployed everywhere.",
            "Deploy the code before; the column stays filled.",
            Takes.Moment),
    ];

    static Draft[] Copy(string what, string added, string dropped) =>
    [
        new(
            "expand",
            $"Add the new {what}",
            $"Create {added}.",
            "It is in the catalogue of every replica.",
            $"Drop the new {what}: nobody reads it.",
            Takes.Moment),
        new(
            "expand",
            "Write both",
            "Deploy code that writes old and new in one transaction, and reads the old.",
            "New writes are in both for an hour.",
            $"Deploy the code before; drop the new {what}.",
            Takes.Moment),
        new(
            "backfill",
            "Copy old rows",
            "In batches, only where the new is missing, with the row locked: a newer value is never replaced.",
            "No row lacks the new.",
            "Stop. The old is complete; go on later, or empty the new and begin again.",
            Takes.Backfill),
        new(
            "backfill",
            "Check",
            "Compare old and new, row by row; correct what differs and find out why.",
            "Two runs in sequence without a difference.",
            "Stay on the old; correct and copy again.",
            Takes.Check),
        new(
            "contract",
            "Read the new",
            "Deploy code that reads the new, behind a switch, for a few users first. Both are still written.",
            "No error and no difference for the soak time.",
            "Turn the switch back: the old is complete, since both are written.",
            Takes.Soak),
        new(
            "contract",
            "Write the new only",
            "Deploy code that no longer knows the old. Forbid writes to it, so that what was forgotten shows.",
            "Nothing reads or writes the old for a day.",
            "Last way back: deploy the code before, and copy what was written since from new to old.",
            Takes.Moment),
        new(
            "contract",
            "Drop the old",
            $"Take a backup; {dropped}.",
            "The schema has one of them only.",
            "None but the backup.",
            Takes.Moment),
    ];

    static Draft[] Index() =>
    [
        new(
            "backfill",
            "Build the index",
            "Concurrently: the database reads all rows and takes writes meanwhile.",
            "The catalogue says that it is valid.",
            "Drop it concurrently; one that failed half-way must be dropped as well.",
            Takes.Backfill),
        new(
            "contract",
            "Use it",
            "Look at the plans of the queries that it is for.",
            "They use it, and writes are not slower than allowed.",
            "Drop it concurrently.",
            Takes.Soak),
        new(
            "contract",
            "Drop what it replaces",
            "Drop the index that it makes superfluous, concurrently, if there is one.",
            "Nothing has used the old one for the soak time.",
            "Build the old one again, concurrently.",
            Takes.Moment),
    ];

    static Draft[] Constraint() =>
    [
        new(
            "expand",
            "Keep it in code",
            "Deploy code that no longer writes what the constraint forbids.",
            "No new violation for an hour.",
            "Deploy the code before.",
            Takes.Moment),
        new(
            "expand",
            "Add it, not yet valid",
            "Add the constraint as NOT VALID: it holds for new writes, and nothing is read.",
            "It is in the catalogue.",
            "Drop the constraint.",
            Takes.Moment),
        new(
            "backfill",
            "Correct old rows",
            "In batches, those that violate it.",
            "A query for violations finds none.",
            "Stop. Take the old values from the backup or a table written for that.",
            Takes.Backfill),
        new(
            "contract",
            "Validate",
            "Validate the constraint: all rows are read, under a lock that lets writes through.",
            "The catalogue says that it is valid.",
            "Drop the constraint.",
            Takes.Check),
    ];

    static Draft[] Drop() =>
    [
        new(
            "contract",
            "Stop reading it",
            "Deploy code that does not name the column, not even by SELECT *.",
            "The statistics of statements show no use.",
            "Deploy the code before: the column is still written.",
            Takes.Moment),
        new(
            "contract",
            "Stop writing it",
            "Make it nullable, or give it a default; deploy code that does not write it.",
            "No new value for the soak time.",
            "Deploy the code before; fill what is missing since then.",
            Takes.Soak),
        new(
            "contract",
            "Drop it",
            "Take a backup of the column with its keys; drop it: only the catalogue changes.",
            "It is gone from the catalogue of every replica.",
            "None but the backup.",
            Takes.Moment),
    ];

    enum Takes
    {
        Moment = 0,
        Backfill,
        Check,
        Soak,
    }

    sealed record Draft(string Phase, string Title, string Do, string DoneWhen, string Rollback, Takes Takes);
}
