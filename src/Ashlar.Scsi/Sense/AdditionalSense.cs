namespace Ashlar.Scsi;

/// <summary>
/// Additional sense code and qualifier as one number, ASC in the high byte (SPC-4, annex F). Names are those of the standard.
/// </summary>
public enum AdditionalSense
{
    /// <summary>00/00 NO ADDITIONAL SENSE INFORMATION.</summary>
    None = 0x0000,

    /// <summary>00/16 OPERATION IN PROGRESS.</summary>
    OperationInProgress = 0x0016,

    /// <summary>04/0B LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN STANDBY STATE.</summary>
    TargetPortInStandbyState = 0x040B,

    /// <summary>04/0C LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN UNAVAILABLE STATE.</summary>
    TargetPortInUnavailableState = 0x040C,

    /// <summary>08/04 UNREACHABLE COPY TARGET.</summary>
    UnreachableCopyTarget = 0x0804,

    /// <summary>0C/00 WRITE ERROR.</summary>
    WriteError = 0x0C00,

    /// <summary>0C/0C WRITE ERROR - UNEXPECTED UNSOLICITED DATA.</summary>
    UnexpectedUnsolicitedData = 0x0C0C,

    /// <summary>0C/0D WRITE ERROR - NOT ENOUGH UNSOLICITED DATA; in iSCSI, an incorrect amount of data (RFC 7143, 11.4.7.2).</summary>
    IncorrectAmountOfData = 0x0C0D,

    /// <summary>0D/01 THIRD PARTY DEVICE FAILURE.</summary>
    ThirdPartyDeviceFailure = 0x0D01,

    /// <summary>0D/02 COPY TARGET DEVICE NOT REACHABLE.</summary>
    CopyTargetDeviceNotReachable = 0x0D02,

    /// <summary>0D/03 INCORRECT COPY TARGET DEVICE TYPE.</summary>
    IncorrectCopyTargetDeviceType = 0x0D03,

    /// <summary>0E/03 INVALID FIELD IN COMMAND INFORMATION UNIT: what the transport says of a command does not fit it.</summary>
    InvalidFieldInCommandInformationUnit = 0x0E03,

    /// <summary>11/00 UNRECOVERED READ ERROR.</summary>
    UnrecoveredReadError = 0x1100,

    /// <summary>1A/00 PARAMETER LIST LENGTH ERROR.</summary>
    ParameterListLengthError = 0x1A00,

    /// <summary>1D/00 MISCOMPARE DURING VERIFY OPERATION.</summary>
    MiscompareDuringVerify = 0x1D00,

    /// <summary>20/00 INVALID COMMAND OPERATION CODE.</summary>
    InvalidOperationCode = 0x2000,

    /// <summary>21/00 LOGICAL BLOCK ADDRESS OUT OF RANGE.</summary>
    LbaOutOfRange = 0x2100,

    /// <summary>24/00 INVALID FIELD IN CDB.</summary>
    InvalidFieldInCdb = 0x2400,

    /// <summary>25/00 LOGICAL UNIT NOT SUPPORTED.</summary>
    LogicalUnitNotSupported = 0x2500,

    /// <summary>26/00 INVALID FIELD IN PARAMETER LIST.</summary>
    InvalidFieldInParameterList = 0x2600,

    /// <summary>26/04 INVALID RELEASE OF PERSISTENT RESERVATION.</summary>
    InvalidReleaseOfPersistentReservation = 0x2604,

    /// <summary>26/06 TOO MANY TARGET DESCRIPTORS.</summary>
    TooManyTargetDescriptors = 0x2606,

    /// <summary>26/07 UNSUPPORTED TARGET DESCRIPTOR TYPE CODE.</summary>
    UnsupportedTargetDescriptorType = 0x2607,

    /// <summary>26/08 TOO MANY SEGMENT DESCRIPTORS.</summary>
    TooManySegmentDescriptors = 0x2608,

    /// <summary>26/09 UNSUPPORTED SEGMENT DESCRIPTOR TYPE CODE.</summary>
    UnsupportedSegmentDescriptorType = 0x2609,

    /// <summary>26/0A INEXACT SEGMENT.</summary>
    InexactSegment = 0x260A,

    /// <summary>26/0B INLINE DATA LENGTH EXCEEDED.</summary>
    InlineDataLengthExceeded = 0x260B,

    /// <summary>27/00 WRITE PROTECTED.</summary>
    WriteProtected = 0x2700,

    /// <summary>27/02 LOGICAL UNIT SOFTWARE WRITE PROTECTED.</summary>
    SoftwareWriteProtected = 0x2702,

    /// <summary>27/07 SPACE ALLOCATION FAILED WRITE PROTECT.</summary>
    SpaceAllocationFailed = 0x2707,

    /// <summary>29/00 POWER ON, RESET, OR BUS DEVICE RESET OCCURRED.</summary>
    PowerOnOrReset = 0x2900,

    /// <summary>2A/01 MODE PARAMETERS CHANGED.</summary>
    ModeParametersChanged = 0x2A01,

    /// <summary>2A/03 RESERVATIONS PREEMPTED.</summary>
    ReservationsPreempted = 0x2A03,

    /// <summary>2A/04 RESERVATIONS RELEASED.</summary>
    ReservationsReleased = 0x2A04,

    /// <summary>2A/05 REGISTRATIONS PREEMPTED.</summary>
    RegistrationsPreempted = 0x2A05,

    /// <summary>2A/06 ASYMMETRIC ACCESS STATE CHANGED.</summary>
    AsymmetricAccessStateChanged = 0x2A06,

    /// <summary>2A/09 CAPACITY DATA HAS CHANGED.</summary>
    CapacityDataHasChanged = 0x2A09,

    /// <summary>2E/02 COMMAND TIMEOUT DURING PROCESSING.</summary>
    CommandTimeoutDuringProcessing = 0x2E02,

    /// <summary>2F/00 COMMANDS CLEARED BY ANOTHER INITIATOR.</summary>
    CommandsClearedByAnotherInitiator = 0x2F00,

    /// <summary>38/07 THIN PROVISIONING SOFT THRESHOLD REACHED.</summary>
    ThinProvisioningSoftThresholdReached = 0x3807,

    /// <summary>39/00 SAVING PARAMETERS NOT SUPPORTED.</summary>
    SavingParametersNotSupported = 0x3900,

    /// <summary>3F/0E REPORTED LUNS DATA HAS CHANGED.</summary>
    ReportedLunsDataHasChanged = 0x3F0E,

    /// <summary>44/00 INTERNAL TARGET FAILURE.</summary>
    InternalTargetFailure = 0x4400,

    /// <summary>4B/00 DATA PHASE ERROR.</summary>
    DataPhaseError = 0x4B00,

    /// <summary>55/04 INSUFFICIENT REGISTRATION RESOURCES.</summary>
    InsufficientRegistrationResources = 0x5504,
}
