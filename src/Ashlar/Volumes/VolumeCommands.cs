using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume</c>.</summary>
static class VolumeCommands
{
    public static Noun Create(Terminal terminal)
    {
        var noun = new Noun("volume", "Thin volumes: create, list, show, map, resize, limit, set, rename, delete, undelete",
        [
            "ashlar volume create vm1 --size 10GiB",
            "ashlar volume list",
            "ashlar volume resize vm1 --size 20GiB",
            "ashlar volume limit vm1 --limit-iops 500",
            "ashlar volume delete vm1 --yes",
            "ashlar volume undelete vm1",
        ])
        {
            VolumeCreateCommand.Create(terminal),
            VolumeListCommand.Create(terminal),
            VolumeShowCommand.Create(terminal),
            VolumeMapCommand.Create(),
            VolumeDefragmentCommand.Create(terminal),
            VolumeResizeCommand.Create(terminal),
            VolumeLimitCommand.Create(terminal),
            VolumeSetCommand.Create(terminal),
            VolumeRenameCommand.Create(),
            VolumeDeleteCommand.Create(),
            VolumeUndeleteCommand.Create(),
            VolumeTrashCommands.Create(terminal),
        };
        noun.Aliases.Add("vol");
        return noun;
    }

    /// <summary>The size that a volume is to have.</summary>
    public static Option<long> Size(Terminal terminal, string description)
    {
        var option = Setting.Create(terminal, "--size", "SIZE", description, ByteSize.Parse, 0L);
        option.DefaultValueFactory = null;
        option.Required = true;
        return option;
    }
}
