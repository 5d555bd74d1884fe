using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>
/// The tables as statements of SQL, in one transaction: what is cut off leaves nothing behind. Rows of blocks come many to a statement,
/// which both databases read many times as fast.
/// </summary>
sealed class SqlScript : ICatalogueTarget
{
    const int RowsOfStatement = 500;

    readonly TextWriter writer;
    int rows; // Of the statement that is open.

    public SqlScript(TextWriter writer)
    {
        this.writer = writer;
        writer.WriteLine("BEGIN;");
        writer.WriteLine(CatalogueTables.Create);
    }

    public void Add(CatalogueVolume volume)
    {
        EndStatement();
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO Volume VALUES ('{CatalogueTables.Format(volume.Id)}', {Quote(CatalogueTables.NameOf(volume))}, "
            + $"{volume.SizeBytes}, {volume.ProvisionedBytes}, {Quote(volume.SnapshotId)}, {Quote(volume.Status)}, "
            + $"'{CatalogueTables.Format(volume.CreatedAt)}');"));
    }

    public void Add(CatalogueVolume volume, CatalogueSnapshot snapshot)
    {
        EndStatement();
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO Snapshot VALUES ('{CatalogueTables.Format(snapshot.Id)}', '{CatalogueTables.Format(volume.Id)}', "
            + $"{Quote(snapshot.ParentSnapshotId)}, '{CatalogueTables.Format(snapshot.CreatedAt)}', {snapshot.SizeBytes});"));
    }

    public void AddBlock(CatalogueVolume volume, long logicalBlock, string physicalNode, long physicalOffset)
    {
        if (rows == RowsOfStatement) EndStatement();
        writer.Write(rows == 0 ? "INSERT INTO VolumeBlock VALUES\n" : ",\n");
        writer.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"('{CatalogueTables.Format(volume.Id)}', {logicalBlock}, {Quote(physicalNode)}, {physicalOffset})"));
        rows++;
    }

    /// <summary>All rows have come.</summary>
    public void Complete()
    {
        EndStatement();
        writer.WriteLine("COMMIT;");
    }

    void EndStatement()
    {
        if (rows > 0) writer.WriteLine(";");
        rows = 0;
    }

    static string Quote(Guid? id) => id is { } known ? $"'{CatalogueTables.Format(known)}'" : "NULL";

    static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
