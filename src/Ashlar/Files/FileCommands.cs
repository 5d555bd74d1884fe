namespace Ashlar.CommandLine;

/// <summary><c>ashlar file</c>.</summary>
static class FileCommands
{
    public static Noun Create(Terminal terminal)
    {
        var noun = new Noun(
            "file",
            "Files, which do not change once they are there: put, get, list, delete",
            [
                "ashlar file mkdir /photos",
                "ashlar file put cat.jpg /photos/cat.jpg",
                "ashlar file cat /photos/cat.jpg --offset 0 --length 16",
                "ashlar file ls /photos",
                "ashlar file rm /photos/cat.jpg",
            ])
        {
            FilePutCommand.Create(terminal),
            FileGetCommand.Create(terminal),
            FileGetCommand.CreateCat(terminal),
            FileListCommand.Create(terminal),
            FileTreeCommand.Create(terminal),
            FileStatCommand.Create(terminal),
            FileChangeCommands.CreateMakeDirectory(terminal),
            FileChangeCommands.CreateMove(terminal),
            FileChangeCommands.CreateCopy(terminal),
            FileRemoveCommand.Create(terminal),
            FileCheckCommands.CreateVerify(terminal),
            FileCheckCommands.CreatePrewarm(terminal),
            FileExportCommand.Create(terminal),
        };
        return noun;
    }

    /// <summary>A verb that works on files.</summary>
    public static Verb With(this Verb verb, FileOptions files)
    {
        foreach (var option in files.All) verb.Options.Add(option);
        return verb;
    }
}
