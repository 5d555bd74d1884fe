using System.CommandLine;
using Ashlar.KeyValue;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv inspect</c>.</summary>
static class KeyValueInspectCommand
{
    public static Verb Create()
    {
        var file = new Argument<string>("FILE") { Description = "A manifest, log segment, table or record of a backup" };
        return new Verb(
            "inspect",
            "Show what is in a file of a store, whole or damaged, line by line",
            ["ashlar kv inspect ./store/MANIFEST", "ashlar kv inspect ./store/log-000001"],
            invocation =>
            {
                if (invocation.Format != OutputFormat.Table) throw Usage.Error("inspect gives text, not objects", "leave --output away");
                var result = KeyValueInspector.Inspect(TypedPath.OfFile(invocation.Get(file)), invocation.Terminal.Out);
                return result.Problems == 0 ? ExitCode.Ok : ExitCode.Damaged;
            })
        { file };
    }
}
