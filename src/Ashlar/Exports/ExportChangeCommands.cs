using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar export create</c>, <c>set</c> and <c>delete</c>.</summary>
static class ExportChangeCommands
{
    public static Verb CreateCreate(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "What it is to be called: 1 to 64 of a-z, 0-9, '.', '_' and '-'" };
        var volume = Setting.Create<VolumePath?>(
            terminal, "--volume", "VOLUME", "The volume: VOLUME in pool main, or POOL/VOLUME", static text => VolumePath.Parse(text), null);
        volume.Required = true;
        var snapshot = new Option<string?>("--snapshot") { Description = "A snapshot of it in its place", HelpName = "NAME" };
        var readOnly = new Option<bool>("--read-only") { Description = "Let them only read" };
        var options = new ExportOptions(terminal);
        var verb = new Verb(
            "create",
            "Say who may reach a volume: it is reached in no other way from then on",
            [
                "ashlar export create vm1 --volume vm1 --initiator iqn.1993-08.org.debian:01:host1",
                "ashlar export create lan --volume vm1 --protocol nbd --address 192.0.2.0/24 --read-only",
                "ashlar export create secret --volume vm2 --chap host1 --chap-secret-file secret",
                "ashlar export create hosts --volume vm3 --dhchap-secret-file secret --dhchap-ctrl-secret-file other",
                "ashlar export create old --volume vm1 --snapshot monday",
            ],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var path = invocation.Get(volume)!.Value;
                var request = new CreateExport
                {
                    Name = invocation.Get(name),
                    Pool = path.Pool,
                    Volume = path.Volume,
                    Snapshot = invocation.Get(snapshot),
                    Protocols = ExportOptions.Get(invocation, options.Protocols),
                    Initiators = ExportOptions.Get(invocation, options.Initiators),
                    Addresses = ExportOptions.Get(invocation, options.Addresses),
                    IsReadOnly = invocation.Get(readOnly),
                    Chap = options.ReadChap(invocation),
                    DhChap = options.ReadDhChap(invocation),
                };
                var export = await client.PostAsync(
                    ExportCommands.Url, request, ApiJson.Strict.CreateExport, ApiJson.Strict.Export, cancellationToken);
                WriteChanged(
                    invocation, export, $"exports {ExportCommands.PathOf(export)} {ExportCommands.Access(export)} "
                    + $"by {string.Join(", ", export.Protocols)}");
                return ExitCode.Ok;
            })
        { name, volume, snapshot, readOnly };
        options.AddTo(verb);
        return verb;
    }

    public static Verb CreateSet(Terminal terminal)
    {
        var name = ExportCommands.Name();
        var readOnly = new Option<bool>("--read-only") { Description = "Let them only read" };
        var readWrite = new Option<bool>("--read-write") { Description = "Let them write" };
        var noChap = new Option<bool>("--no-chap") { Description = "Ask initiators for no proof any more" };
        var noDhChap = new Option<bool>("--no-dhchap") { Description = "Ask hosts of NVMe for no proof any more" };
        var options = new ExportOptions(terminal);
        var verb = new Verb(
            "set",
            "Change who may reach a volume: whom it does not let in any more is cut off",
            [
                "ashlar export set vm1 --initiator iqn.1993-08.org.debian:01:host1,iqn.1993-08.org.debian:01:host2",
                "ashlar export set lan --read-write",
                "ashlar export set secret --no-chap",
            ],
            async (invocation, cancellationToken) =>
            {
                if (invocation.Get(readOnly) && invocation.Get(readWrite))
                    throw Usage.Error("--read-only and --read-write exclude each other");
                using var client = ApiClient.For(invocation);
                var request = new ChangeExport
                {
                    Protocols = ExportOptions.Get(invocation, options.Protocols),
                    Initiators = ExportOptions.Get(invocation, options.Initiators),
                    Addresses = ExportOptions.Get(invocation, options.Addresses),
                    IsReadOnly = invocation.Get(readOnly) ? true : invocation.Get(readWrite) ? false : null,
                    Chap = options.ReadChap(invocation),
                    WithoutChap = invocation.Get(noChap),
                    DhChap = options.ReadDhChap(invocation),
                    WithoutDhChap = invocation.Get(noDhChap),
                };
                var export = await client.PatchAsync(
                    ExportCommands.UrlOf(invocation.Get(name)), request, ApiJson.Strict.ChangeExport, ApiJson.Strict.Export,
                    cancellationToken);
                WriteChanged(invocation, export, "is changed");
                return ExitCode.Ok;
            })
        { name, readOnly, readWrite, noChap, noDhChap };
        options.AddTo(verb);
        return verb;
    }

    public static Verb CreateDelete()
    {
        var name = ExportCommands.Name();
        var verb = new Verb(
            "delete",
            "Delete an export; the last one of a volume opens that to all again",
            ["ashlar export delete vm1"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var export = await client.GetAsync(ExportCommands.UrlOf(invocation.Get(name)), ApiJson.Strict.Export, cancellationToken);
                await client.DeleteAsync(ExportCommands.UrlOf(export.Name), cancellationToken);
                WriteChanged(invocation, export, "is deleted");
                return ExitCode.Ok;
            })
        { name };
        verb.Aliases.Add("rm");
        return verb;
    }

    static void WriteChanged(Invocation invocation, Export export, string what) => invocation.WriteChange(
        export, ApiJson.Strict.Export, [export.Name], (writer, _) => writer.WriteLine(ScreenText.Of($"{export.Name} {what}")));
}
