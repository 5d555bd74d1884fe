using Ashlar.Api;
using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Objects of the API, made of what the file store knows.</summary>
static class FileAnswers
{
    /// <summary>Where the type of a file's content is kept.</summary>
    public const string TypeProperty = "content-type";

    const int Sha256Digits = 64;

    static readonly (FileRights Right, string Name)[] Rights =
    [
        (FileRights.Read, FileRightNames.Read), (FileRights.Write, FileRightNames.Write),
        (FileRights.Administer, FileRightNames.Administer),
    ];

    public static FileEntry Entry(NamespaceEntry entry, FileProperties? properties = null)
    {
        var isFile = entry.Kind == NamespaceEntryKind.File;
        return new()
        {
            Kind = isFile ? FileEntryKinds.File : FileEntryKinds.Directory,
            Path = entry.Path.ToString(),
            SizeBytes = entry.SizeBytes,
            Tag = isFile ? entry.Tag : null,
            Sha256 = isFile ? Sha256(entry, properties) : null,
            CreatedAt = entry.CreatedAt,
            UpdatedAt = entry.UpdatedAt,
            Properties = properties is { Count: > 0 } ? properties : null,
        };
    }

    /// <summary>The SHA-256 of the whole content, where it is known.</summary>
    public static string? Sha256(NamespaceEntry entry, FileProperties? properties) =>
        properties?.GetValueOrDefault(FileProperties.Sha256) ?? (entry.Tag.Length == Sha256Digits ? entry.Tag : null);

    public static FileCustomer Customer(Customer customer, Usage usage) => new()
    {
        Name = customer.Name,
        CreatedAt = customer.CreatedAt,
        QuotaBytes = customer.Quota.Bytes == long.MaxValue ? null : customer.Quota.Bytes,
        QuotaFiles = customer.Quota.Files == long.MaxValue ? null : customer.Quota.Files,
        UsedBytes = usage.Bytes,
        FileCount = usage.Files,
        DirectoryCount = usage.Directories,
    };

    public static FileUser User(Customer customer, User user) => new()
    {
        Customer = customer.Name,
        Name = user.Name,
        Rights = Names(user.Rights),
        CreatedAt = user.CreatedAt,
    };

    public static FileKey Key(Customer customer, AccessKey key, bool withSecret = false) => new()
    {
        Id = key.Id,
        Secret = withSecret ? key.Secret : null,
        Customer = customer.Name,
        User = key.User,
        CreatedAt = key.CreatedAt,
        ExpiresAt = key.ExpiresAt,
    };

    public static FileNode Node(ServedNode node, NodeHealth? health) => new()
    {
        Name = node.Name,
        Id = node.Record.Id,
        Path = node.Path,
        Domain = node.Record.Domain is { Length: > 0 } domain ? domain : null,
        State = node.Record.Stage switch
        {
            NodeStage.Lost => FileNodeStates.Lost,
            _ when node.Open is null || health is null or { State: NodeState.Unavailable } => FileNodeStates.Unavailable,
            NodeStage.Draining => FileNodeStates.Draining,
            _ => health.State == NodeState.Suspect ? FileNodeStates.Suspect : FileNodeStates.Up,
        },
        Problem = node.Problem ?? health?.Problem,
        FreeBytes = node.Open is null || health is null or { State: NodeState.Unavailable } ? null : health.FreeBytes,
        QueueLength = health?.QueueLength ?? 0,
        ErrorCount = health?.Errors ?? 0,
    };

    public static FileUploadInfo Upload(UploadIntent intent) => new()
    {
        Id = UploadName(intent.Token.Id),
        Path = intent.Path.ToString(),
        CreatedAt = intent.OpenedAt,
        ExpiresAt = intent.LeaseEndsAt,
    };

    public static FilePart Part(UploadPart part) => new(part.Number, part.SizeBytes, part.Tag);

    public static string UploadName(ulong id) => id.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The names of rights.</summary>
    public static string[] Names(FileRights rights) =>
        [.. Rights.Where(each => (rights & each.Right) != FileRights.None).Select(each => each.Name)];

    /// <summary>The rights of names.</summary>
    /// <exception cref="ApiException">One is none.</exception>
    public static FileRights Parse(IEnumerable<string> names)
    {
        var rights = FileRights.None;
        foreach (var name in names)
        {
            var found = Array.FindIndex(Rights, each => each.Name == name);
            if (found < 0)
            {
                throw new ApiException(
                    ProblemKind.InvalidRequest,
                    $"'{name}' is not a right: {string.Join(", ", Rights.Select(static each => each.Name))}");
            }

            rights |= Rights[found].Right;
        }

        return rights;
    }
}
