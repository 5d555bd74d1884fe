namespace Ashlar.Api;

/// <summary>
/// Who may reach a volume, by which protocol, and what it has to prove. A volume with exports is reached through them alone.
/// </summary>
public sealed record Export
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"Export".</summary>
    public string Kind { get; init; } = nameof(Export);

    /// <summary>Unique on the server.</summary>
    public required string Name { get; init; }

    /// <summary>Pool of the volume, as it is called now; absent where the volume is not there.</summary>
    public string? Pool { get; init; }

    /// <summary>The volume, as it is called now; absent where it is not there.</summary>
    public string? Volume { get; init; }

    /// <summary>Identity of the volume, which stays when it is renamed.</summary>
    public required Guid VolumeId { get; init; }

    /// <summary>The snapshot that is exported in the place of the volume.</summary>
    public string? Snapshot { get; init; }

    /// <summary>Protocols that it holds for: "iscsi", "nbd", "nvme".</summary>
    public required IReadOnlyList<string> Protocols { get; init; }

    /// <summary>Names of those whom it lets in, IQNs or NQNs; absent where it lets in all.</summary>
    public IReadOnlyList<string>? Initiators { get; init; }

    /// <summary>Networks of those whom it lets in; absent where it lets in all.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }

    /// <summary>Whether those whom it lets in may only read.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>As whom initiators prove to come by CHAP; absent where they need not.</summary>
    public string? ChapUser { get; init; }

    /// <summary>As whom the target proves who it is, to initiators that ask for it.</summary>
    public string? ChapTargetUser { get; init; }

    /// <summary>Whether hosts of NVMe have to prove by DH-HMAC-CHAP that they have its secret.</summary>
    public bool AsksForDhChap { get; init; }

    /// <summary>Whether the controller proves who it is, to hosts that ask for it.</summary>
    public bool AnswersDhChap { get; init; }
}

/// <summary>Exports, the oldest first.</summary>
public sealed record ExportList
{
    /// <summary>Version of this object.</summary>
    public string ApiVersion { get; init; } = Api.ApiVersion.Current;

    /// <summary>"ExportList".</summary>
    public string Kind { get; init; } = nameof(ExportList);

    /// <summary>The exports.</summary>
    public required IReadOnlyList<Export> Items { get; init; }

    /// <summary>Path and query of what follows; absent at the end of the list.</summary>
    public string? Next { get; init; }
}
