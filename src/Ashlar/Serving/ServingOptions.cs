using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Server;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.CommandLine;

/// <summary>Options of the commands that serve. Each has its variable in the environment.</summary>
sealed class ServingOptions(Terminal terminal)
{
    const string TlsOff = "off", TlsOptional = "optional", TlsRequired = "required";

    Option<ConfigurationFile?>? config;

    public Option<IReadOnlyList<IPAddress>> Listen { get; } = Setting.CreateList(
        terminal,
        "--listen",
        "ADDRESS",
        "Addresses to listen on, with commas, each a portal; 0.0.0.0 is all of IPv4, :: all [default: 127.0.0.1]",
        ParseAddress,
        [IPAddress.Loopback],
        isInEnvironment: true);

    public Option<string?> Advertise { get; } = Setting.Create<string?>(
        terminal,
        "--advertise",
        "HOST",
        "Name or address that others are told, also by discovery of iSCSI and NVMe [default: as listened on]",
        ParseHost,
        null,
        isInEnvironment: true);

    public Option<IReadOnlyList<string>> AllowHost { get; } = Setting.CreateList(
        terminal,
        "--allow-host",
        "NAME",
        "Names by which the API may be asked for, such as that of a reverse proxy; with commas",
        ParseHost,
        [],
        isInEnvironment: true);

    public Option<int> NbdPort { get; } = Setting.Create(
        terminal,
        "--nbd-port",
        "PORT",
        "Port of the NBD server; 0 takes a free one [default: 10809]",
        Setting.ParsePort,
        10809,
        isInEnvironment: true);

    public Option<string?> NbdSocket { get; } = Setting.Create<string?>(
        terminal,
        "--nbd-socket",
        "PATH",
        "Serve NBD on this Unix socket as well [default: none]",
        TypedPath.OfFile,
        null,
        isInEnvironment: true);

    public Option<UnixFileMode> NbdSocketMode { get; } = Setting.Create(
        terminal,
        "--nbd-socket-mode",
        "MODE",
        "Its permissions, octal; who may write may connect [default: 600]",
        ParseMode,
        UnixFileMode.UserRead | UnixFileMode.UserWrite,
        isInEnvironment: true);

    public Option<string?> NbdSocketOwner { get; } = Setting.Create<string?>(
        terminal,
        "--nbd-socket-owner",
        "USER[:GROUP]",
        "Whose it is; ':GROUP' names the group alone [default: as the server]",
        static text => text,
        null,
        isInEnvironment: true);

    public Option<int> IscsiPort { get; } = Setting.Create(
        terminal,
        "--iscsi-port",
        "PORT",
        "Port of the iSCSI portal; 0 takes a free one [default: 3260]",
        Setting.ParsePort,
        3260,
        isInEnvironment: true);

    public Option<int> NvmePort { get; } = Setting.Create(
        terminal,
        "--nvme-port",
        "PORT",
        "Port of the NVMe/TCP server; 0 takes a free one [default: 4420]",
        Setting.ParsePort,
        4420,
        isInEnvironment: true);

    public Option<int> ApiPort { get; } = Setting.Create(
        terminal,
        "--api-port",
        "PORT",
        "Port of the REST API; 0 takes a free one [default: 9001]",
        Setting.ParsePort,
        9001,
        isInEnvironment: true);

    public Option<int> S3Port { get; } = Setting.Create(
        terminal,
        "--s3-port",
        "PORT",
        "Port of the S3 server; 0 takes a free one [default: 9000]",
        Setting.ParsePort,
        9000,
        isInEnvironment: true);

    public Option<string> NbdTls { get; } = Setting.Create(
        terminal,
        "--nbd-tls",
        "MODE",
        "TLS of NBD: off, optional, required [default: off]",
        text => ParseOneOf(text, TlsOff, TlsOptional, TlsRequired),
        TlsOff,
        isInEnvironment: true).Offering(TlsOff, TlsOptional, TlsRequired);

    public Option<string?> TlsCertificate { get; } = File(
        terminal, "--tls-certificate", "Certificate of the server, with its chain (PEM)");

    public Option<string?> TlsKey { get; } = File(terminal, "--tls-key", "Its private key (PEM)");

    public Option<string?> TlsClientAuthority { get; } = File(
        terminal, "--tls-client-ca", "Authority of clients, which have to show certificates of it (PEM) [default: none]");

    public Option<long?> PoolSize { get; } = Setting.Create<long?>(
        terminal,
        "--pool-size",
        "SIZE",
        "Capacity of pool main when it is created [default: 90 % of the free space]",
        ParsePoolSize,
        null,
        isInEnvironment: true);

    public Option<long> BufferMemory { get; } = Setting.Create(
        terminal,
        "--buffer-memory",
        "SIZE",
        "Memory for requests of all clients together [default: 256MiB]",
        ParseBufferMemory,
        BufferPool.DefaultBudgetBytes,
        isInEnvironment: true);

    public Option<string?> FileCache { get; } = Setting.Create<string?>(
        terminal,
        "--file-cache",
        "DIR",
        "Keep what is read of files in this directory, of a disk that is faster than those of the nodes [default: none]",
        TypedPath.OfDirectory,
        null,
        isInEnvironment: true);

    public Option<long> FileCacheSize { get; } = Setting.Create(
        terminal,
        "--file-cache-size",
        "SIZE",
        "Space for --file-cache; one of another size is emptied [default: 10GiB]",
        ParseFileCacheSize,
        ServerOptions.DefaultFileCacheBytes,
        isInEnvironment: true);

    public Option<bool> AllowUnauthenticated { get; } = Setting.CreateFlag(
        terminal, "--allow-unauthenticated", "Allow --listen addresses that other machines can reach; there is no authentication");

    public Option<string> LogLevel { get; } = Setting.Create(
        terminal,
        "--log-level",
        "LEVEL",
        "Least level that is logged: debug, info, warning, error [default: info]",
        text => ParseOneOf(text, "debug", "info", "warning", "error"),
        "info",
        isInEnvironment: true).Offering("debug", "info", "warning", "error");

    public Option<string> LogFormat { get; } = Setting.Create(
        terminal,
        "--log-format",
        "FORMAT",
        "text for people, json for programs: an object a line [default: text]",
        text => ParseOneOf(text, "text", "json"),
        "text",
        isInEnvironment: true).Offering("text", "json");

    /// <summary>A file that sets the others, and <c>--data</c>.</summary>
    public Option<ConfigurationFile?> Config => config ??= Setting.Create<ConfigurationFile?>(
        terminal,
        ConfigurationFile.OptionName,
        "FILE",
        "JSON file with options, such as {\"nbdPort\": 10809}",
        path => ConfigurationFile.Read(path, OfFile.Select(option => option.Name).Append("--data")),
        null);

    public IEnumerable<Option> All => [Config, .. OfFile];

    IEnumerable<Option> OfFile =>
    [
        Listen, Advertise, AllowHost, NbdPort, NbdSocket, NbdSocketMode, NbdSocketOwner, IscsiPort, NvmePort, ApiPort, S3Port,
        NbdTls, TlsCertificate, TlsKey, TlsClientAuthority,
        PoolSize, BufferMemory, FileCache, FileCacheSize,
        AllowUnauthenticated, LogLevel, LogFormat,
    ];

    /// <summary>The Unix socket on which NBD is served; null for none.</summary>
    public LocalPortal? ReadNbdSocket(Invocation invocation)
    {
        if (invocation.Get(NbdSocket) is not { } path) return null;
        if (Encoding.UTF8.GetByteCount(path) > LocalPortal.MaxPathBytes)
            throw Usage.Error($"'{path}' is too long for a Unix socket: {LocalPortal.MaxPathBytes} bytes at the most");
        var mode = invocation.Get(NbdSocketMode);
        if (invocation.Get(NbdSocketOwner) is not { } owner) return new(path, new(mode));
        var (user, group) = owner.IndexOf(':') is >= 0 and var colon ? (owner[..colon], owner[(colon + 1)..]) : (owner, "");
        return new(path, new(
            mode,
            user.Length == 0 ? null : SocketFile.FindUser(user) ?? throw Usage.Error($"there is no user '{user}'"),
            group.Length == 0 ? null : SocketFile.FindGroup(group) ?? throw Usage.Error($"there is no group '{group}'")));
    }

    /// <summary>How NBD is to speak TLS; null where it is not to.</summary>
    public TlsFiles? ReadTls(Invocation invocation)
    {
        var mode = invocation.Get(NbdTls);
        if (mode == TlsOff) return null;
        if (invocation.Get(TlsCertificate) is not { } certificate || invocation.Get(TlsKey) is not { } key)
            throw Usage.Error($"--nbd-tls {mode} needs --tls-certificate and --tls-key");
        var authority = invocation.Get(TlsClientAuthority) is { } path ? TypedPath.OfFile(path) : null;
        return new(TypedPath.OfFile(certificate), TypedPath.OfFile(key), authority, mode == TlsRequired);
    }

    static Option<string?> File(Terminal terminal, string name, string description) => Setting.Create<string?>(
        terminal, name, "FILE", description, static text => text, null, isInEnvironment: true);

    static IPAddress ParseAddress(string text) => text switch
    {
        "localhost" => IPAddress.Loopback,
        // IPv4 in four decimal numbers: others take "010" for 8, and "7" for 0.0.0.7.
        _ when IPAddress.TryParse(text, out var address)
            && (address.AddressFamily != AddressFamily.InterNetwork || address.ToString() == text) =>
            address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address,
        _ => throw new FormatException($"'{text}' is not an IP address: expected one such as 127.0.0.1, ::1 or 0.0.0.0"),
    };

    static string ParseHost(string text)
    {
        var host = text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text;
        return Uri.CheckHostName(host) != UriHostNameType.Unknown
            ? host
            : throw new FormatException($"'{text}' is not a host: expected a name or an address without a port, such as nas.example.com");
    }

    static string ParseOneOf(string text, params string[] values) => values.Contains(text, StringComparer.Ordinal)
        ? text
        : throw new FormatException($"'{text}' is none of {string.Join(", ", values)}");

    static UnixFileMode ParseMode(string text) =>
        text.Length is 3 or 4 && text.All(static digit => digit is >= '0' and <= '7') && Convert.ToInt32(text, 8) is <= 0x1FF and var mode
            ? (UnixFileMode)mode
            : throw new FormatException($"'{text}' is no permissions: expected three octal digits such as 660");

    static long ParseBufferMemory(string text)
    {
        var size = ByteSize.Parse(text);
        return size >= BufferPool.MinBudgetBytes ? size : throw new FormatException($"'{text}' is too small: 16MiB at least");
    }

    static long ParseFileCacheSize(string text)
    {
        var size = ByteSize.Parse(text);
        return size >= ServerOptions.MinFileCacheBytes ? size : throw new FormatException($"'{text}' is too small: 16MiB at least");
    }

    static long? ParsePoolSize(string text)
    {
        var size = ByteSize.Parse(text);
        return size >= 64L << 20 ? size : throw new FormatException($"'{text}' is too small for a pool: 64MiB at least");
    }
}
