//! Names of interfaces and of their operations, those that matter for security.
//!
//! Enters: identifiers and numbers. Leaves: names. Refuses: nothing; what is unknown stays a
//! number.
//! Source: [MS-SCMR], [MS-SRVS], [MS-WKST], [MS-SAMR], [MS-LSAD], [MS-LSAT], [MS-DRSR], [MS-TSCH],
//! [MS-EFSR], [MS-RPRN], [MS-RRP], [MS-NRPC], [MS-DFSNM], [MS-FSRVP], [MS-ICPR], [MS-EVEN],
//! [MS-EVEN6], [MS-DCOM], [MS-WMI], [MS-RSP], [MS-DNSP], [MS-PAR], [MS-BKRP], [MS-OAUT], C706
//! appendices O and Q.

/// An interface.
pub(super) struct Interface {
    uuid: u128,
    /// Its usual name.
    pub(super) name: &'static str,
    operations: &'static [(u16, &'static str)],
}

impl Interface {
    /// Name of an operation.
    pub(super) fn operation(&self, number: u16) -> Option<&'static str> {
        let known = self.operations.iter().find(|(known, _)| *known == number);
        known.map(|(_, name)| *name)
    }
}

/// The interface of an identifier, most significant octet first.
pub(super) fn interface(uuid: &[u8; 16]) -> Option<&'static Interface> {
    let uuid = u128::from_be_bytes(*uuid);
    INTERFACES.iter().find(|interface| interface.uuid == uuid)
}

/// The usual text of an identifier.
pub(super) fn uuid(octets: &[u8; 16]) -> String {
    let mut text = codec::digest::hex(octets);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// The endpoint mapper: it tells on which port an interface is.
pub(super) const EPMAPPER: u128 = 0xe1af8308_5d1f_11c9_91a4_08002b14a0fa;

#[rustfmt::skip]
static INTERFACES: &[Interface] = &[
    Interface { uuid: 0x367abb81_9844_35f1_ad32_98f038001003, name: "svcctl", operations: &[
        (0, "CloseServiceHandle"), (1, "ControlService"), (2, "DeleteService"),
        (3, "LockServiceDatabase"), (4, "QueryServiceObjectSecurity"),
        (5, "SetServiceObjectSecurity"), (6, "QueryServiceStatus"), (7, "SetServiceStatus"),
        (8, "UnlockServiceDatabase"), (9, "NotifyBootConfigStatus"),
        (11, "ChangeServiceConfigW"), (12, "CreateServiceW"), (13, "EnumDependentServicesW"),
        (14, "EnumServicesStatusW"), (15, "OpenSCManagerW"), (16, "OpenServiceW"),
        (17, "QueryServiceConfigW"), (18, "QueryServiceLockStatusW"), (19, "StartServiceW"),
        (20, "GetServiceDisplayNameW"), (21, "GetServiceKeyNameW"), (23, "ChangeServiceConfigA"),
        (24, "CreateServiceA"), (25, "EnumDependentServicesA"), (26, "EnumServicesStatusA"),
        (27, "OpenSCManagerA"), (28, "OpenServiceA"), (29, "QueryServiceConfigA"),
        (30, "QueryServiceLockStatusA"), (31, "StartServiceA"), (32, "GetServiceDisplayNameA"),
        (33, "GetServiceKeyNameA"), (35, "EnumServiceGroupW"), (36, "ChangeServiceConfig2A"),
        (37, "ChangeServiceConfig2W"), (38, "QueryServiceConfig2A"),
        (39, "QueryServiceConfig2W"), (40, "QueryServiceStatusEx"),
        (41, "EnumServicesStatusExA"), (42, "EnumServicesStatusExW"),
        (44, "CreateServiceWOW64A"), (45, "CreateServiceWOW64W"),
        (47, "NotifyServiceStatusChange"), (48, "GetNotifyResults"), (49, "CloseNotifyHandle"),
        (50, "ControlServiceExA"), (51, "ControlServiceExW"), (56, "QueryServiceConfigEx"),
        (60, "CreateWowService"), (64, "OpenSCManager2"),
    ] },
    Interface { uuid: 0x4b324fc8_1670_01d3_1278_5a47bf6ee188, name: "srvsvc", operations: &[
        (8, "NetrConnectionEnum"), (9, "NetrFileEnum"), (10, "NetrFileGetInfo"),
        (11, "NetrFileClose"), (12, "NetrSessionEnum"), (13, "NetrSessionDel"),
        (14, "NetrShareAdd"), (15, "NetrShareEnum"), (16, "NetrShareGetInfo"),
        (17, "NetrShareSetInfo"), (18, "NetrShareDel"), (19, "NetrShareDelSticky"),
        (20, "NetrShareCheck"), (21, "NetrServerGetInfo"), (22, "NetrServerSetInfo"),
        (23, "NetrServerDiskEnum"), (24, "NetrServerStatisticsGet"),
        (25, "NetrServerTransportAdd"), (26, "NetrServerTransportEnum"),
        (27, "NetrServerTransportDel"), (28, "NetrRemoteTOD"), (30, "NetprPathType"),
        (31, "NetprPathCanonicalize"), (32, "NetprPathCompare"), (33, "NetprNameValidate"),
        (34, "NetprNameCanonicalize"), (35, "NetprNameCompare"), (36, "NetrShareEnumSticky"),
        (37, "NetrShareDelStart"), (38, "NetrShareDelCommit"), (39, "NetrpGetFileSecurity"),
        (40, "NetrpSetFileSecurity"), (41, "NetrServerTransportAddEx"),
        (43, "NetrDfsGetVersion"),
    ] },
    Interface { uuid: 0x6bffd098_a112_3610_9833_46c3f87e345a, name: "wkssvc", operations: &[
        (0, "NetrWkstaGetInfo"), (1, "NetrWkstaSetInfo"), (2, "NetrWkstaUserEnum"),
        (5, "NetrWkstaTransportEnum"), (8, "NetrUseAdd"), (10, "NetrUseDel"),
        (11, "NetrUseEnum"), (20, "NetrGetJoinInformation"), (22, "NetrJoinDomain2"),
        (23, "NetrUnjoinDomain2"), (24, "NetrRenameMachineInDomain2"),
    ] },
    Interface { uuid: 0x12345778_1234_abcd_ef00_0123456789ac, name: "samr", operations: &[
        (0, "SamrConnect"), (1, "SamrCloseHandle"), (2, "SamrSetSecurityObject"),
        (3, "SamrQuerySecurityObject"), (5, "SamrLookupDomainInSamServer"),
        (6, "SamrEnumerateDomainsInSamServer"), (7, "SamrOpenDomain"),
        (8, "SamrQueryInformationDomain"), (9, "SamrSetInformationDomain"),
        (10, "SamrCreateGroupInDomain"), (11, "SamrEnumerateGroupsInDomain"),
        (12, "SamrCreateUserInDomain"), (13, "SamrEnumerateUsersInDomain"),
        (14, "SamrCreateAliasInDomain"), (15, "SamrEnumerateAliasesInDomain"),
        (16, "SamrGetAliasMembership"), (17, "SamrLookupNamesInDomain"),
        (18, "SamrLookupIdsInDomain"), (19, "SamrOpenGroup"), (20, "SamrQueryInformationGroup"),
        (21, "SamrSetInformationGroup"), (22, "SamrAddMemberToGroup"), (23, "SamrDeleteGroup"),
        (24, "SamrRemoveMemberFromGroup"), (25, "SamrGetMembersInGroup"),
        (26, "SamrSetMemberAttributesOfGroup"), (27, "SamrOpenAlias"),
        (28, "SamrQueryInformationAlias"), (29, "SamrSetInformationAlias"),
        (30, "SamrDeleteAlias"), (31, "SamrAddMemberToAlias"), (32, "SamrRemoveMemberFromAlias"),
        (33, "SamrGetMembersInAlias"), (34, "SamrOpenUser"), (35, "SamrDeleteUser"),
        (36, "SamrQueryInformationUser"), (37, "SamrSetInformationUser"),
        (38, "SamrChangePasswordUser"), (39, "SamrGetGroupsForUser"),
        (40, "SamrQueryDisplayInformation"), (41, "SamrGetDisplayEnumerationIndex"),
        (44, "SamrGetUserDomainPasswordInformation"), (45, "SamrRemoveMemberFromForeignDomain"),
        (46, "SamrQueryInformationDomain2"), (47, "SamrQueryInformationUser2"),
        (48, "SamrQueryDisplayInformation2"), (49, "SamrGetDisplayEnumerationIndex2"),
        (50, "SamrCreateUser2InDomain"), (51, "SamrQueryDisplayInformation3"),
        (52, "SamrAddMultipleMembersToAlias"), (53, "SamrRemoveMultipleMembersFromAlias"),
        (54, "SamrOemChangePasswordUser2"), (55, "SamrUnicodeChangePasswordUser2"),
        (56, "SamrGetDomainPasswordInformation"), (57, "SamrConnect2"),
        (58, "SamrSetInformationUser2"), (62, "SamrConnect4"), (64, "SamrConnect5"),
        (65, "SamrRidToSid"), (66, "SamrSetDSRMPassword"), (67, "SamrValidatePassword"),
    ] },
    Interface { uuid: 0x12345778_1234_abcd_ef00_0123456789ab, name: "lsarpc", operations: &[
        (0, "LsarClose"), (2, "LsarEnumeratePrivileges"), (3, "LsarQuerySecurityObject"),
        (4, "LsarSetSecurityObject"), (6, "LsarOpenPolicy"), (7, "LsarQueryInformationPolicy"),
        (8, "LsarSetInformationPolicy"), (10, "LsarCreateAccount"),
        (11, "LsarEnumerateAccounts"), (12, "LsarCreateTrustedDomain"),
        (13, "LsarEnumerateTrustedDomains"), (14, "LsarLookupNames"), (15, "LsarLookupSids"),
        (16, "LsarCreateSecret"), (17, "LsarOpenAccount"),
        (18, "LsarEnumeratePrivilegesAccount"), (19, "LsarAddPrivilegesToAccount"),
        (20, "LsarRemovePrivilegesFromAccount"), (23, "LsarGetSystemAccessAccount"),
        (24, "LsarSetSystemAccessAccount"), (25, "LsarOpenTrustedDomain"),
        (26, "LsarQueryInfoTrustedDomain"), (27, "LsarSetInformationTrustedDomain"),
        (28, "LsarOpenSecret"), (29, "LsarSetSecret"), (30, "LsarQuerySecret"),
        (31, "LsarLookupPrivilegeValue"), (32, "LsarLookupPrivilegeName"),
        (33, "LsarLookupPrivilegeDisplayName"), (34, "LsarDeleteObject"),
        (35, "LsarEnumerateAccountsWithUserRight"), (36, "LsarEnumerateAccountRights"),
        (37, "LsarAddAccountRights"), (38, "LsarRemoveAccountRights"),
        (42, "LsarStorePrivateData"), (43, "LsarRetrievePrivateData"), (44, "LsarOpenPolicy2"),
        (45, "LsarGetUserName"), (46, "LsarQueryInformationPolicy2"),
        (47, "LsarSetInformationPolicy2"), (50, "LsarEnumerateTrustedDomainsEx"),
        (51, "LsarCreateTrustedDomainEx"), (57, "LsarLookupSids2"), (58, "LsarLookupNames2"),
        (59, "LsarCreateTrustedDomainEx2"), (68, "LsarLookupNames3"), (76, "LsarLookupSids3"),
        (77, "LsarLookupNames4"),
    ] },
    Interface { uuid: 0xe3514235_4b06_11d1_ab04_00c04fc2dcd2, name: "drsuapi", operations: &[
        (0, "DRSBind"), (1, "DRSUnbind"), (2, "DRSReplicaSync"), (3, "DRSGetNCChanges"),
        (4, "DRSUpdateRefs"), (5, "DRSReplicaAdd"), (6, "DRSReplicaDel"),
        (7, "DRSReplicaModify"), (8, "DRSVerifyNames"), (9, "DRSGetMemberships"),
        (10, "DRSInterDomainMove"), (11, "DRSGetNT4ChangeLog"), (12, "DRSCrackNames"),
        (13, "DRSWriteSPN"), (14, "DRSRemoveDsServer"), (15, "DRSRemoveDsDomain"),
        (16, "DRSDomainControllerInfo"), (17, "DRSAddEntry"), (18, "DRSExecuteKCC"),
        (19, "DRSGetReplInfo"), (20, "DRSAddSidHistory"), (21, "DRSGetMemberships2"),
        (22, "DRSReplicaVerifyObjects"), (23, "DRSGetObjectExistence"),
        (24, "DRSQuerySitesByCost"), (25, "DRSInitDemotion"), (26, "DRSReplicaDemotion"),
        (27, "DRSFinishDemotion"), (28, "DRSAddCloneDC"), (29, "DRSWriteNgcKey"),
        (30, "DRSReadNgcKey"),
    ] },
    Interface { uuid: 0x1ff70682_0a51_30e8_076d_740be8cee98b, name: "atsvc", operations: &[
        (0, "NetrJobAdd"), (1, "NetrJobDel"), (2, "NetrJobEnum"), (3, "NetrJobGetInfo"),
    ] },
    Interface { uuid: 0x86d35949_83c9_4044_b424_db363231fd0c,
        name: "ITaskSchedulerService", operations: &[
        (0, "SchRpcHighestVersion"), (1, "SchRpcRegisterTask"), (2, "SchRpcRetrieveTask"),
        (3, "SchRpcCreateFolder"), (4, "SchRpcSetSecurity"), (5, "SchRpcGetSecurity"),
        (6, "SchRpcEnumFolders"), (7, "SchRpcEnumTasks"), (8, "SchRpcEnumInstances"),
        (9, "SchRpcGetInstanceInfo"), (10, "SchRpcStopInstance"), (11, "SchRpcStop"),
        (12, "SchRpcRun"), (13, "SchRpcDelete"), (14, "SchRpcRename"),
        (15, "SchRpcScheduledRuntimes"), (16, "SchRpcGetLastRunInfo"), (17, "SchRpcGetTaskInfo"),
        (18, "SchRpcGetNumberOfMissedRuns"), (19, "SchRpcEnableTask"),
    ] },
    Interface { uuid: 0xc681d488_d850_11d0_8c52_00c04fd90f7e, name: "efsrpc", operations: EFS },
    Interface { uuid: 0xdf1941c5_fe89_4e79_bf10_463657acf44d, name: "efsrpc", operations: EFS },
    Interface { uuid: 0x12345678_1234_abcd_ef00_0123456789ab, name: "spoolss", operations: &[
        (0, "RpcEnumPrinters"), (1, "RpcOpenPrinter"), (2, "RpcSetJob"), (3, "RpcGetJob"),
        (4, "RpcEnumJobs"), (5, "RpcAddPrinter"), (6, "RpcDeletePrinter"), (7, "RpcSetPrinter"),
        (8, "RpcGetPrinter"), (9, "RpcAddPrinterDriver"), (10, "RpcEnumPrinterDrivers"),
        (11, "RpcGetPrinterDriver"), (12, "RpcGetPrinterDriverDirectory"),
        (13, "RpcDeletePrinterDriver"), (14, "RpcAddPrintProcessor"), (17, "RpcStartDocPrinter"),
        (18, "RpcStartPagePrinter"), (19, "RpcWritePrinter"), (20, "RpcEndPagePrinter"),
        (21, "RpcAbortPrinter"), (22, "RpcReadPrinter"), (23, "RpcEndDocPrinter"),
        (24, "RpcAddJob"), (25, "RpcScheduleJob"), (26, "RpcGetPrinterData"),
        (27, "RpcSetPrinterData"), (29, "RpcClosePrinter"), (35, "RpcEnumPorts"),
        (53, "RpcCreatePrinterIC"), (56, "RpcFindClosePrinterChangeNotification"),
        (58, "RpcReplyOpenPrinter"), (62, "RpcRemoteFindFirstPrinterChangeNotification"),
        (65, "RpcRemoteFindFirstPrinterChangeNotificationEx"), (66, "RpcRouterReplyPrinterEx"),
        (67, "RpcRouterRefreshPrinterChangeNotification"), (69, "RpcOpenPrinterEx"),
        (70, "RpcAddPrinterEx"), (72, "RpcEnumPrinterData"), (77, "RpcSetPrinterDataEx"),
        (78, "RpcGetPrinterDataEx"), (79, "RpcEnumPrinterDataEx"),
        (84, "RpcDeletePrinterDriverEx"), (89, "RpcAddPrinterDriverEx"),
        (102, "RpcGetCorePrinterDrivers"),
    ] },
    Interface { uuid: 0x338cd001_2244_31f1_aaaa_900038001003, name: "winreg", operations: &[
        (0, "OpenClassesRoot"), (1, "OpenCurrentUser"), (2, "OpenLocalMachine"),
        (3, "OpenPerformanceData"), (4, "OpenUsers"), (5, "BaseRegCloseKey"),
        (6, "BaseRegCreateKey"), (7, "BaseRegDeleteKey"), (8, "BaseRegDeleteValue"),
        (9, "BaseRegEnumKey"), (10, "BaseRegEnumValue"), (11, "BaseRegFlushKey"),
        (12, "BaseRegGetKeySecurity"), (13, "BaseRegLoadKey"), (15, "BaseRegOpenKey"),
        (16, "BaseRegQueryInfoKey"), (17, "BaseRegQueryValue"), (18, "BaseRegReplaceKey"),
        (19, "BaseRegRestoreKey"), (20, "BaseRegSaveKey"), (21, "BaseRegSetKeySecurity"),
        (22, "BaseRegSetValue"), (23, "BaseRegUnLoadKey"), (26, "BaseRegGetVersion"),
        (27, "OpenCurrentConfig"), (29, "BaseRegQueryMultipleValues"), (31, "BaseRegSaveKeyEx"),
        (32, "OpenPerformanceText"), (33, "OpenPerformanceNlsText"),
        (34, "BaseRegQueryMultipleValues2"), (35, "BaseRegDeleteKeyEx"),
    ] },
    Interface { uuid: 0x12345678_1234_abcd_ef00_01234567cffb, name: "netlogon", operations: &[
        (0, "NetrLogonUasLogon"), (1, "NetrLogonUasLogoff"), (2, "NetrLogonSamLogon"),
        (3, "NetrLogonSamLogoff"), (4, "NetrServerReqChallenge"), (5, "NetrServerAuthenticate"),
        (6, "NetrServerPasswordSet"), (7, "NetrDatabaseDeltas"), (8, "NetrDatabaseSync"),
        (11, "NetrGetDCName"), (12, "NetrLogonControl"), (13, "NetrGetAnyDCName"),
        (14, "NetrLogonControl2"), (15, "NetrServerAuthenticate2"), (16, "NetrDatabaseSync2"),
        (17, "NetrDatabaseRedo"), (18, "NetrLogonControl2Ex"),
        (19, "NetrEnumerateTrustedDomains"), (20, "DsrGetDcName"),
        (21, "NetrLogonGetCapabilities"), (26, "NetrServerAuthenticate3"),
        (27, "DsrGetDcNameEx"), (28, "DsrGetSiteName"), (29, "NetrLogonGetDomainInfo"),
        (30, "NetrServerPasswordSet2"), (31, "NetrServerPasswordGet"),
        (33, "DsrAddressToSiteNamesW"), (34, "DsrGetDcNameEx2"),
        (36, "NetrEnumerateTrustedDomainsEx"), (39, "NetrLogonSamLogonEx"),
        (40, "DsrEnumerateDomainTrusts"), (42, "NetrServerTrustPasswordsGet"),
        (43, "DsrGetForestTrustInformation"), (44, "NetrGetForestTrustInformation"),
        (45, "NetrLogonSamLogonWithFlags"), (46, "NetrServerGetTrustInfo"),
    ] },
    Interface { uuid: EPMAPPER, name: "epmapper", operations: &[
        (0, "ept_insert"), (1, "ept_delete"), (2, "ept_lookup"), (3, "ept_map"),
        (4, "ept_lookup_handle_free"), (5, "ept_inq_object"), (6, "ept_mgmt_delete"),
    ] },
    Interface { uuid: 0x4fc742e0_4a10_11cf_8273_00aa004ae673, name: "netdfs", operations: &[
        (0, "NetrDfsManagerGetVersion"), (1, "NetrDfsAdd"), (2, "NetrDfsRemove"),
        (4, "NetrDfsGetInfo"), (5, "NetrDfsEnum"), (10, "NetrDfsAddFtRoot"),
        (11, "NetrDfsRemoveFtRoot"), (12, "NetrDfsAddStdRoot"), (13, "NetrDfsRemoveStdRoot"),
        (21, "NetrDfsEnumEx"),
    ] },
    Interface { uuid: 0xa8e0653c_2744_4389_a61d_7373df8b2292,
        name: "FileServerVssAgent", operations: &[
        (8, "IsPathSupported"), (9, "IsPathShadowCopied"),
    ] },
    Interface { uuid: 0x91ae6020_9e3c_11cf_8d7c_00aa00c091be, name: "ICertPassage", operations: &[
        (0, "CertServerRequest"),
    ] },
    Interface { uuid: 0x82273fdc_e32a_18c3_3f78_827929dc23ea, name: "eventlog", operations: &[
        (0, "ElfrClearELFW"), (1, "ElfrBackupELFW"), (2, "ElfrCloseEL"),
        (4, "ElfrNumberOfRecords"), (7, "ElfrOpenELW"), (9, "ElfrOpenBELW"),
        (10, "ElfrReadELW"), (12, "ElfrClearELFA"),
    ] },
    Interface { uuid: 0xf6beaff7_1e19_4fbb_9f8f_b89e2018337c, name: "IEventService", operations: &[
        (0, "EvtRpcRegisterRemoteSubscription"), (5, "EvtRpcRegisterLogQuery"),
        (6, "EvtRpcClearLog"), (7, "EvtRpcExportLog"), (11, "EvtRpcQueryNext"),
    ] },
    Interface { uuid: 0x99fcfec4_5260_101b_bbcb_00aa0021347a, name: "IOXIDResolver", operations: &[
        (0, "ResolveOxid"), (1, "SimplePing"), (2, "ComplexPing"), (3, "ServerAlive"),
        (4, "ResolveOxid2"), (5, "ServerAlive2"),
    ] },
    Interface { uuid: 0x000001a0_0000_0000_c000_000000000046,
        name: "ISystemActivator", operations: &[
        (3, "RemoteGetClassObject"), (4, "RemoteCreateInstance"),
    ] },
    Interface { uuid: 0x00000143_0000_0000_c000_000000000046, name: "IRemUnknown2", operations: &[
        (3, "RemQueryInterface"), (4, "RemAddRef"), (5, "RemRelease"), (6, "RemQueryInterface2"),
    ] },
    Interface { uuid: 0x00000131_0000_0000_c000_000000000046, name: "IRemUnknown", operations: &[
        (3, "RemQueryInterface"), (4, "RemAddRef"), (5, "RemRelease"),
    ] },
    Interface { uuid: 0x00020400_0000_0000_c000_000000000046, name: "IDispatch", operations: &[
        (3, "GetTypeInfoCount"), (4, "GetTypeInfo"), (5, "GetIDsOfNames"), (6, "Invoke"),
    ] },
    Interface { uuid: 0x76f03f96_cdfd_44fc_a22c_64950a001209,
        name: "IRemoteWinspool", operations: &[
        (0, "RpcAsyncOpenPrinter"), (1, "RpcAsyncAddPrinter"), (39, "RpcAsyncAddPrinterDriver"),
        (58, "RpcSyncRegisterForRemoteNotifications"),
    ] },
    Interface { uuid: 0x3dde7c30_165d_11d1_ab8f_00805f14db40, name: "BackupKey", operations: &[
        (0, "BackuprKey"),
    ] },
    Interface { uuid: 0x378e52b0_c0a9_11cf_822d_00aa0051e40f, name: "sasec", operations: &[
        (0, "SASetAccountInformation"), (1, "SASetNSAccountInformation"),
        (2, "SAGetNSAccountInformation"), (3, "SAGetAccountInformation"),
    ] },
    Interface { uuid: 0xf309ad18_d86a_11d0_a075_00c04fb68820,
        name: "IWbemLevel1Login", operations: &[
        (3, "EstablishPosition"), (4, "RequestChallenge"), (5, "WBEMLogin"), (6, "NTLMLogin"),
    ] },
    Interface { uuid: 0x9556dc99_828c_11cf_a37e_00aa003240c7, name: "IWbemServices", operations: &[
        (6, "GetObject"), (8, "PutClass"), (14, "PutInstance"), (16, "DeleteInstance"),
        (18, "CreateInstanceEnum"), (20, "ExecQuery"), (22, "ExecNotificationQuery"),
        (24, "ExecMethod"),
    ] },
    Interface { uuid: 0x894de0c0_0d55_11d3_a322_00c04fa321a1, name: "initshutdown", operations: &[
        (0, "BaseInitiateShutdown"), (1, "BaseAbortShutdown"), (2, "BaseInitiateShutdownEx"),
    ] },
    Interface { uuid: 0x50abc2a4_574d_40b3_9d66_ee4fd5fba076, name: "dnsserver", operations: &[
        (0, "R_DnssrvOperation"), (1, "R_DnssrvQuery"), (2, "R_DnssrvComplexOperation"),
        (3, "R_DnssrvEnumRecords"), (4, "R_DnssrvUpdateRecord"), (5, "R_DnssrvOperation2"),
        (6, "R_DnssrvQuery2"), (7, "R_DnssrvComplexOperation2"), (8, "R_DnssrvEnumRecords2"),
        (9, "R_DnssrvUpdateRecord2"),
    ] },
    Interface { uuid: 0xafa8bd80_7d8a_11c9_bef4_08002b102989, name: "mgmt", operations: &[
        (0, "inq_if_ids"), (1, "inq_stats"), (2, "is_server_listening"),
        (3, "stop_server_listening"), (4, "inq_princ_name"),
    ] },
];

#[rustfmt::skip]
const EFS: &[(u16, &str)] = &[
    (0, "EfsRpcOpenFileRaw"), (1, "EfsRpcReadFileRaw"), (2, "EfsRpcWriteFileRaw"),
    (3, "EfsRpcCloseRaw"), (4, "EfsRpcEncryptFileSrv"), (5, "EfsRpcDecryptFileSrv"),
    (6, "EfsRpcQueryUsersOnFile"), (7, "EfsRpcQueryRecoveryAgents"),
    (8, "EfsRpcRemoveUsersFromFile"), (9, "EfsRpcAddUsersToFile"),
    (11, "EfsRpcNotSupported"), (12, "EfsRpcFileKeyInfo"),
    (13, "EfsRpcDuplicateEncryptionInfoFile"), (15, "EfsRpcAddUsersToFileEx"),
    (16, "EfsRpcFileKeyInfoEx"), (18, "EfsRpcGetEncryptedFileMetadata"),
    (19, "EfsRpcSetEncryptedFileMetadata"), (20, "EfsRpcFlushEfsCache"),
    (21, "EfsRpcEncryptFileExSrv"), (22, "EfsRpcQueryProtectors"),
];
