namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot</c>.</summary>
static class SnapshotCommands
{
    public static Noun Create(Terminal terminal)
    {
        var noun = new Noun("snapshot", "Snapshots of volumes: create, restore, clone, compare, export, import, delete",
        [
            "ashlar snapshot create vm1@monday",
            "ashlar snapshot list vm1",
            "ashlar snapshot restore vm1@monday --yes",
            "ashlar snapshot clone vm1@monday vm2",
            "ashlar snapshot export vm1@tuesday --since monday --file vm1.delta",
            "ashlar snapshot delete vm1@monday --dry-run",
        ])
        {
            SnapshotCreateCommand.Create(),
            SnapshotListCommand.Create(terminal),
            SnapshotShowCommand.Create(),
            SnapshotRenameCommand.Create(),
            SnapshotDeleteCommand.Create(),
            SnapshotRestoreCommand.Create(),
            SnapshotCloneCommands.CreateClone(),
            SnapshotCloneCommands.CreateFlatten(),
            SnapshotDiffCommand.Create(),
            SnapshotStreamCommands.CreateExport(),
            SnapshotStreamCommands.CreateImport(),
        };
        noun.Aliases.Add("snap");
        return noun;
    }
}
