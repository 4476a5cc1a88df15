"""Titles and scopes as 100,000 real projects would have them: few words, many near-duplicates."""

from __future__ import annotations

import random
from collections.abc import Iterator

_WORD_LIST = (
    "智慧 数字 综合 一体化 移动 应急 视频 电子 综合行政 网格化 社区 农村 校园 医疗 交通 "
    "水利 气象 林业 渔业 不动产 土地 规划 国土空间 生态 环境 大气 污水 河长制 防汛 水库 "
    "大坝 灌区 供水 排水 燃气 供热 路灯 停车 公交 客运 出租车 货运 治超 桥梁 隧道 道路 "
    "养护 城管 市容 环卫 垃圾分类 违建 工地 扬尘 渣土 房产 住房 公积金 物业 房屋安全 "
    "档案 图书馆 博物馆 文化馆 文物 碉楼 非遗 旅游 景区 体育 场馆 广播 融媒体 舆情 宣传 "
    "党建 干部 人事 编制 机关 公车 会议 督办 信访 司法 矫正 公证 法律援助 调解 普法 "
    "行政复议 执法监督 检察 审判 庭审 公安 交警 禁毒 户籍 出入境 反诈 治安 监所 消防 "
    "安监 危化品 矿山 特种设备 食品 药品 餐饮 市场监管 企业 商事 登记 信用 双随机 质量 "
    "计量 知识产权 税务 财政 预算 国库 国资 采购 审计 统计 普查 金融 招商 投资 项目审批 "
    "工程审批 招投标 科技 工业 商务 电商 外贸 口岸 农业 畜牧 兽医 种植 农机 农产品 溯源 "
    "乡村振兴 扶贫 粮食 储备 供销 民政 低保 养老 殡葬 婚姻 救助 残联 妇联 青少年 "
    "退役军人 人社 就业 社保 劳动监察 职业培训 医保 卫健 疾控 妇幼 血站 急救 远程诊疗 "
    "电子病历 公共卫生 疫苗 计生 老龄 教育 学籍 招生 考试 阅卷 教研 教师 营养餐 校车 "
    "实验室 政务服务 一网通办 一窗受理 热线 自助终端 叫号 证照 印章 公文 协同办公 内网 "
    "外网 专网 云平台 机房 数据共享 数据治理 数据开放 目录 大数据 物联网 区块链 人工智能 "
    "密码 等保 安全加固 态势感知 灾备 容灾 存储 备份 服务器 终端 打印 无线 光纤 专线 "
    "宽带 会议室 监控 卡口 门禁 指挥 调度 预警 监测"
)
_KIND_LIST = (
    "系统建设 平台建设 系统升级改造 平台升级 系统运维服务 平台运行维护 信息系统维护 "
    "管理系统建设 管理平台运维 服务平台建设 数据库建设 监管系统 设备采购 软件采购 设备维保 "
    "线路租赁 资源租用服务 测评服务 技术服务 综合管理平台 信息化项目 移动应用开发 数据采集服务 "
    "系统扩容 指挥中心改造 分析系统 业务系统运维"
)
_UNIT_LIST = (
    "开平市公安局 开平市教育局 开平市财政局 开平市水利局 开平市卫生健康局 开平市民政局 "
    "开平市交通运输局 开平市自然资源局 开平市农业农村局 开平市应急管理局 开平市住房和城乡建设局 "
    "开平市市场监督管理局 开平市人力资源和社会保障局 开平市文化广电旅游体育局 三埠街道 长沙街道 "
    "水口镇 赤坎镇 塘口镇 百合镇"
)
_WORDS, _KINDS, _UNITS = (words.split() for words in (_WORD_LIST, _KIND_LIST, _UNIT_LIST))
_SHAPES = (
    "{a}{b}{kind}",
    "{a}{b}{kind}（{year}年度）",
    "{year}年{a}{b}{kind}",
    "{unit}{a}{b}{kind}",
    "{unit}{a}{kind}",
    "{a}{b}{c}{kind}",
    "{a}{kind}（二期）",
    "{unit}{year}年{a}{kind}",
)
_SENTENCES = (
    "建设{a}{b}{kind}，包括{c}采集、{d}分析和{a}展示三个子系统",
    "对现有{a}业务流程进行梳理，接入{b}、{c}和{d}等部门数据",
    "提供7×24小时技术支持服务，故障响应时间不超过2小时，每季度现场巡检一次",
    "完成{a}与{b}平台的接口对接，统一用户认证并按等级保护三级要求加固",
    "采购{c}服务器{n}台、存储设备{m}套，配套{d}软件授权",
    "开发面向{a}的移动端应用，覆盖{n}个镇街{m}个村居",
    "部署{b}{c}前端感知设备{n}套，数据汇聚至市政务云平台",
    "整理历史{d}数据{n}万条，建立{a}主题库和专题库",
    "开展{a}系统使用培训{m}场，编制用户手册和运维手册",
    "本项目服务期为一年，服务内容包括日常维护、数据备份、补丁升级和应急处置",
)


def texts(count: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """(title, scope) pairs, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield title(chance), scope(chance)


def title(chance: random.Random) -> str:
    """One title."""
    a, b, c = chance.sample(_WORDS, 3)
    return chance.choice(_SHAPES).format(
        a=a,
        b=b,
        c=c,
        kind=chance.choice(_KINDS),
        unit=chance.choice(_UNITS),
        year=chance.randrange(2021, 2028),
    )


def scope(chance: random.Random) -> str:
    """Three to ten sentences, 100 to 400 characters."""
    return "；".join(_sentence(chance) for _ in range(chance.randrange(3, 11))) + "。"


def _sentence(chance: random.Random) -> str:
    a, b, c, d = chance.sample(_WORDS, 4)
    n, m = chance.randrange(2, 90), chance.randrange(2, 30)
    return chance.choice(_SENTENCES).format(a=a, b=b, c=c, d=d, n=n, m=m, kind=chance.choice(_KINDS))
