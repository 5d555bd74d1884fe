using Ashlar.Api;
using Ashlar.Storage;
using Microsoft.Data.Sqlite;

namespace Ashlar.CommandLine;

/// <summary>
/// The tables as a database of SQLite. The file is made anew: one that is there is left alone, and one that is not complete goes. While it
/// is made nothing of it has to survive a crash; it is durable when it is complete.
/// </summary>
sealed class SqliteCatalogue : ICatalogueTarget, IDisposable
{
    readonly string path;
    readonly SqliteConnection connection;
    readonly SqliteTransaction transaction;
    readonly SqliteCommand volumes;
    readonly SqliteCommand blocks;
    readonly SqliteCommand snapshots;
    bool isComplete;

    SqliteCatalogue(string path)
    {
        this.path = path;
        connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        Execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;");
        transaction = connection.BeginTransaction();
        Execute(CatalogueTables.Create);
        volumes = Prepare("INSERT INTO Volume VALUES ($0, $1, $2, $3, $4, $5, $6)", 7);
        blocks = Prepare("INSERT INTO VolumeBlock VALUES ($0, $1, $2, $3)", 4);
        snapshots = Prepare("INSERT INTO Snapshot VALUES ($0, $1, $2, $3, $4)", 5);
    }

    /// <summary>Makes the file.</summary>
    /// <exception cref="CommandException">There is no SQLite.</exception>
    /// <exception cref="StorageException">The file is there, or cannot be made.</exception>
    public static SqliteCatalogue Create(string path)
    {
        SqliteLibrary.Require();
        FileSystems.Real.Open(path, FileOpenMode.CreateNew).Dispose(); // Nobody else's, and with errors that name it.
        try
        {
            return new(path);
        }
        catch
        {
            FileSystems.Real.Delete(path);
            throw;
        }
    }

    public void Add(CatalogueVolume volume) => Run(
        volumes,
        CatalogueTables.Format(volume.Id),
        CatalogueTables.NameOf(volume),
        volume.SizeBytes,
        volume.ProvisionedBytes,
        volume.SnapshotId is { } snapshot ? CatalogueTables.Format(snapshot) : DBNull.Value,
        volume.Status,
        CatalogueTables.Format(volume.CreatedAt));

    public void Add(CatalogueVolume volume, CatalogueSnapshot snapshot) => Run(
        snapshots,
        CatalogueTables.Format(snapshot.Id),
        CatalogueTables.Format(volume.Id),
        snapshot.ParentSnapshotId is { } parent ? CatalogueTables.Format(parent) : DBNull.Value,
        CatalogueTables.Format(snapshot.CreatedAt),
        snapshot.SizeBytes);

    public void AddBlock(CatalogueVolume volume, long logicalBlock, string physicalNode, long physicalOffset) =>
        Run(blocks, CatalogueTables.Format(volume.Id), logicalBlock, physicalNode, physicalOffset);

    /// <summary>All rows have come. Durable when the call returns.</summary>
    public void Complete()
    {
        Guard(transaction.Commit);
        connection.Close();
        using (var file = FileSystems.Real.Open(path, FileOpenMode.Existing)) file.Sync();
        FileSystems.Real.SyncDirectory(Path.GetDirectoryName(path)!);
        isComplete = true;
    }

    public void Dispose()
    {
        foreach (var command in (SqliteCommand?[])[volumes, blocks, snapshots]) command?.Dispose();
        transaction.Dispose();
        connection.Dispose();
        if (!isComplete) FileSystems.Real.Delete(path);
    }

    SqliteCommand Prepare(string text, int parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        for (var i = 0; i < parameters; i++) command.Parameters.Add(new() { ParameterName = $"${i}" });
        return command;
    }

    void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
        try
        {
            command.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    void Execute(string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        Guard(() => command.ExecuteNonQuery());
    }

    void Guard(Action act)
    {
        try
        {
            act();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    CommandException Failed(SqliteException e) => new(ExitCode.Failed, ProblemTypes.Failed, $"{path}: {e.Message}");
}
