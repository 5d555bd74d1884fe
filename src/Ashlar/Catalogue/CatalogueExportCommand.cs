using System.CommandLine;
using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar catalog export</c>.</summary>
static class CatalogueExportCommand
{
    public static Verb Create()
    {
        var sqlite = new Option<string?>("--sqlite") { Description = "Make this file, a database of SQLite", HelpName = "FILE" };
        var sql = new Option<bool>("--sql") { Description = "Print statements of SQL that SQLite and PostgreSQL take" };
        return new Verb(
            "export",
            "Export the tables Volume, VolumeBlock and Snapshot; each pool as it is at one moment",
            ["ashlar catalog export --sqlite catalog.db", "ashlar catalog export --sql"],
            async (invocation, cancellationToken) =>
            {
                var file = invocation.Get(sqlite);
                if (file is null == !invocation.Get(sql)) throw Usage.Error("one of --sqlite FILE and --sql is needed");
                if (file is not null && invocation.Format == OutputFormat.Name) throw Usage.Error("-o name is not for this command");
                using var client = ApiClient.For(invocation);
                var entries = client.ReadCatalogueAsync(cancellationToken);
                CatalogueEnd end;
                if (file is null)
                {
                    var script = new SqlScript(invocation.Terminal.Out);
                    end = await CatalogueReader.CopyAsync(entries, script);
                    script.Complete();
                }
                else
                {
                    using var database = SqliteCatalogue.Create(TypedPath.OfFile(file));
                    end = await CatalogueReader.CopyAsync(entries, database);
                    database.Complete();
                    invocation.Tell(string.Create(
                        CultureInfo.InvariantCulture, $"{file} has {end.Volumes} volumes and {end.Blocks} blocks of 4,096 bytes"));
                }
                if (end.UnreadablePieces == 0) return ExitCode.Ok;
                throw new CommandException(
                    ExitCode.Damaged,
                    ProblemTypes.Corrupt,
                    $"{end.UnreadablePieces} pieces of maps, of a MiB each, cannot be read: their blocks are missing");
            })
        { sqlite, sql };
    }
}
