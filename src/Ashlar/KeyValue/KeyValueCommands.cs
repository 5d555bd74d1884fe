namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv</c>: key-value stores in directories, without a server.</summary>
static class KeyValueCommands
{
    public static Noun Create(Terminal terminal) => new(
        "kv",
        "Key-value stores in directories: read, write, check, load",
        [
            "ashlar kv create ./store",
            "ashlar kv put ./store city/paris 'bonjour'",
            "ashlar kv get ./store city/paris",
            "ashlar kv scan ./store --prefix city/",
            "ashlar kv verify ./store",
        ],
        ServerUse.None)
    {
        KeyValueStoreCommands.CreateCreate(terminal),
        KeyValueGetCommand.Create(terminal),
        KeyValuePutCommand.Create(terminal),
        KeyValueDeleteCommand.Create(terminal),
        KeyValueExpireCommand.Create(terminal),
        KeyValueScanCommand.Create(terminal),
        KeyValueLoadCommand.Create(terminal),
        KeyValueKeyspaceCommands.Create(terminal),
        KeyValueStoreCommands.CreateStats(),
        KeyValueStoreCommands.CreateVerify(),
        KeyValueStoreCommands.CreateCompact(),
        KeyValueInspectCommand.Create(),
        KeyValueBackupCommands.CreateBackup(),
        KeyValueBackupCommands.CreateList(terminal),
        KeyValueBackupCommands.CreateVerify(terminal),
        KeyValueBackupCommands.CreateRestore(terminal),
        KeyValueBackupCommands.CreateDelete(terminal),
        KeyValueArchiveCommands.CreateArchiveLog(),
        KeyValueArchiveCommands.CreateInspect(terminal),
        KeyValueArchiveCommands.CreatePrune(),
        KeyValueArchiveCommands.CreateEnd(),
        KeyValueRepairCommand.Create(),
    };

    public static void WriteChange(Invocation invocation, KeyValueChange change, string forPeople) =>
        invocation.WriteChange(change, KeyValueJson.Strict.KeyValueChange, [change.Path], (writer, _) => writer.WriteLine(forPeople));

    /// <summary>"1 entry", "2 entries".</summary>
    public static string Entries(long count) => count == 1 ? "1 entry" : $"{count} entries";
}
