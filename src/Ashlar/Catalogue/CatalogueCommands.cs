using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar catalog</c>.</summary>
static class CatalogueCommands
{
    public static Noun Create() => new(
        "catalog",
        "The volumes of all pools and the places of their blocks, as tables of SQL: export",
        ["ashlar catalog export --sqlite catalog.db", "ashlar catalog export --sql"])
    {
        CatalogueExportCommand.Create(),
    };
}
