using System.CommandLine;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>
/// Names of keyspaces for somebody who waits at the keyboard: of the store that stands on the command line, unless somebody has it open to
/// write.
/// </summary>
static class KeyspaceNames
{
    public static IReadOnlyList<string> Find(ParseResult parsed)
    {
        var directory = parsed.CommandResult.Command.Arguments.FirstOrDefault(argument => argument.Name == KeyValueArguments.DirectoryName);
        if (directory is null || parsed.GetResult(directory)?.Tokens is not [var typed, ..] || !TypedPath.IsOne(typed.Value)) return [];
        try
        {
            using var store = OpenedStore.Open(TypedPath.OfDirectory(typed.Value), isReadOnly: true, create: "");
            return [.. store.ListKeyspaces().Where(ServerNames.IsName)];
        }
        catch (Exception e) when (e is AshlarException or NotSupportedException)
        {
            return [];
        }
    }
}
