using System.CommandLine;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>What exports are created and changed by.</summary>
sealed class ExportOptions
{
    const string StandardInput = "-";

    // What is longer is not a secret, but the wrong file.
    const int MostSecretBytes = 4096;

    public ExportOptions(Terminal terminal)
    {
        Protocols = List(terminal, "--protocol", "PROTOCOL", "Protocols that it is for: iscsi, nbd, nvme");
        Initiators = List(terminal, "--initiator", "NAME", "IQNs or NQNs that are let in, '' for all");
        Addresses = List(terminal, "--address", "CIDR", "Addresses and networks that are let in, '' for all");
    }

    public Option<IReadOnlyList<string>> Protocols { get; }

    public Option<IReadOnlyList<string>> Initiators { get; }

    public Option<IReadOnlyList<string>> Addresses { get; }

    public Option<string?> User { get; } = Text("--chap", "USER", "As whom initiators of iSCSI prove to come");

    public Option<string?> SecretFile { get; } = Text("--chap-secret-file", "FILE", "Their secret, 12 bytes at least; - for the input");

    public Option<string?> TargetUser { get; } = Text("--mutual-user", "USER", "As whom the target proves who it is");

    public Option<string?> TargetSecretFile { get; } = Text("--mutual-secret-file", "FILE", "Its secret, another one; - for the input");

    public Option<string?> HostSecretFile { get; } = Text(
        "--dhchap-secret-file", "FILE", "What hosts of NVMe prove that they have, DHHC-1:...; - for the input");

    public Option<string?> ControllerSecretFile { get; } = Text(
        "--dhchap-ctrl-secret-file", "FILE", "What the controller proves itself by, another one; - for the input");

    public void AddTo(Command command)
    {
        Option[] all =
        [
            Protocols, Initiators, Addresses, User, SecretFile, TargetUser, TargetSecretFile, HostSecretFile, ControllerSecretFile,
        ];
        foreach (var option in all) command.Options.Add(option);
    }

    /// <summary>What was typed; null where nothing was.</summary>
    public static IReadOnlyList<string>? Get(Invocation invocation, Option<IReadOnlyList<string>> option) =>
        invocation.Get(option) is { Count: > 0 } values ? [.. values.Where(static value => value.Length > 0)] : null;

    /// <summary>Users and secrets; null where no user was named.</summary>
    public ChapSecrets? ReadChap(Invocation invocation)
    {
        var (user, file) = (invocation.Get(User), invocation.Get(SecretFile));
        var (targetUser, targetFile) = (invocation.Get(TargetUser), invocation.Get(TargetSecretFile));
        if ((user is null) != (file is null)) throw Usage.Error("--chap and --chap-secret-file come together");
        if ((targetUser is null) != (targetFile is null)) throw Usage.Error("--mutual-user and --mutual-secret-file come together");
        if (targetUser is not null && user is null) throw Usage.Error("--mutual-user needs --chap");
        if (file == StandardInput && targetFile == StandardInput) throw Usage.Error("the input is one secret, not two");
        return user is null ? null : new()
        {
            User = user,
            Secret = ReadSecret(invocation, file!),
            TargetUser = targetUser,
            TargetSecret = targetFile is null ? null : ReadSecret(invocation, targetFile),
        };
    }

    /// <summary>Secrets of hosts and controllers; null where none were named.</summary>
    public DhChapSecrets? ReadDhChap(Invocation invocation)
    {
        var (file, controllerFile) = (invocation.Get(HostSecretFile), invocation.Get(ControllerSecretFile));
        if (controllerFile is not null && file is null) throw Usage.Error("--dhchap-ctrl-secret-file needs --dhchap-secret-file");
        if (file == StandardInput && controllerFile == StandardInput) throw Usage.Error("the input is one secret, not two");
        return file is null ? null : new()
        {
            Secret = ReadSecret(invocation, file),
            ControllerSecret = controllerFile is null ? null : ReadSecret(invocation, controllerFile),
        };
    }

    // A line of a file: an argument would stand in the list of processes.
    static string ReadSecret(Invocation invocation, string path)
    {
        if (path == StandardInput) return invocation.Terminal.In.ReadLine() ?? "";
        using var file = FileSystems.Real.Open(TypedPath.OfFile(path), FileOpenMode.ReadOnly);
        if (file.LengthBytes > MostSecretBytes) throw Usage.Error($"{path} has {file.LengthBytes} bytes: that is no secret");
        return System.Text.Encoding.UTF8.GetString(file.ReadWhole()).TrimEnd('\r', '\n');
    }

    static Option<IReadOnlyList<string>> List(Terminal terminal, string name, string valueName, string description) =>
        Setting.CreateList<string>(terminal, name, valueName, description, static text => text, []);

    static Option<string?> Text(string name, string valueName, string description) =>
        new(name) { Description = description, HelpName = valueName };
}
